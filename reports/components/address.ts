import { addressName, withChoice } from "../analysis/address.js";

/** Writes a choice into the address, without a step in the reader's history. */
export function remember(label: string, key: string | null): void {
  const search = withChoice(location.search, addressName(label), key);
  try {
    history.replaceState(history.state, "", `${location.pathname}${search}${location.hash}`);
  } catch {
    // A page that was opened from disk may have no say in its address: the choice holds anyway.
  }
}

/** What the address says of a choice; null where it says nothing. */
export function remembered(label: string): string | null {
  return new URLSearchParams(location.search).get(addressName(label));
}
