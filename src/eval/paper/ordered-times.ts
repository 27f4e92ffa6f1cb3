import type { OrderedCell, TestedRecord } from "./orderings.js";
import { nameIn, stageOf } from "./ratio-verdict.js";

interface OrderOfTimes {
  readonly gain: number;
  readonly by: string;
  readonly p: null;
}

/**
 * Whether ours of the paper's faster is faster: by what the rounds of one record found, in which
 * both took turns. Said with the reason where they found nothing, or where there are none.
 */
export function orderedTimes(
  faster: OrderedCell,
  slower: OrderedCell,
  records: ReadonlyMap<string, TestedRecord>,
): OrderOfTimes | string {
  let unsure: string | null = null;
  for (const { cells } of records.values()) {
    const [a, b] = [nameIn(faster, cells), nameIn(slower, cells)];
    for (const { findings = [] } of cells) {
      const found = findings.find(
        ({ about, of }) =>
          about === "comparison" &&
          (of.stage ?? "overall") === stageOf(faster) &&
          ((of.first === a && of.second === b) || (of.first === b && of.second === a)),
      );
      if (!found) continue;
      const { verdict, why, of } = found;
      const second = of.second === a ? 1 : -1;
      const by = "rounds in turns";
      if (verdict === "faster") return { gain: second, by, p: null };
      if (verdict === "slower") return { gain: -second, by, p: null };
      unsure ??= `${verdict}: ${why}`;
    }
  }
  return unsure ?? "the two were not timed in turns";
}
