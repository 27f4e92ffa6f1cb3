/** How the choices of a page stand in its address, so that it can be sent and opened again. */

/** The parameters that links of other pages use, and those of choices with long labels. */
const names: Readonly<Record<string, string>> = {
  Record: "run",
  Run: "run",
  "System, or model and data set": "cell",
  "Query or label": "query",
};

/** `Data set` is `data-set`. */
export function addressName(label: string): string {
  return names[label] ?? (label.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-");
}

/** What tells an option from the others and stays so: a key, an id, a name, or its text. */
export function optionKey(option: unknown): string {
  if (typeof option !== "object" || option === null) return String(option ?? "");
  const { key, id, dataset, name } = option as Readonly<Record<string, unknown>>;
  return String(key ?? id ?? dataset ?? name ?? "");
}

/** The address's search with one choice set, or taken out where it is the page's own. */
export function withChoice(search: string, name: string, key: string | null): string {
  const parameters = new URLSearchParams(search);
  if (key === null) parameters.delete(name);
  else parameters.set(name, key);
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

/** Of some options the one that the address names, else the page's own. */
export function chosenOption<T>(
  search: string,
  label: string,
  options: readonly T[],
  initial: T | null,
): T | null {
  const asked = new URLSearchParams(search).get(addressName(label));
  if (asked === null) return initial;
  return options.find((option) => optionKey(option) === asked) ?? initial;
}
