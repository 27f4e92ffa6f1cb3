import type { Candidate } from "./budget.js";
import type { Limits } from "./limits.js";
import { bySpeed, judge, worstExcess, type Judged } from "./pick.js";
import { isYardstick, settingKey, valueOf, type Point, type Setting } from "./point.js";

/** Recall that guides the sweep where no limit says. */
const usualRecall = 0.95;
/** At small sizes recall is higher than it will be: what falls this far short is out of reach. */
const slack = 0.05;
const standings = ["met", "unsure", "broken"];

/** Settings of which some points are known, the most promising first. */
export function byPromise(
  settings: readonly Setting[],
  points: readonly Point[],
  limits: Limits,
): Candidate<Setting>[] {
  const judged = judge(points, looseLimits(limits));
  const candidates = settings.flatMap((item): Candidate<Setting>[] => {
    const own = judged.filter((j) => settingKey(j.point.setting) === settingKey(item));
    if (own.length === 0) return [];
    const [best] = own.filter((j) => worstExcess(j) === 0).sort(bySpeed);
    return [
      {
        item,
        family: item.family,
        costMs: best ? (valueOf(best.point, "p50Ms") ?? Infinity) : Infinity,
        excess: Math.min(...own.map(worstExcess)),
        fixed: isYardstick(item),
      },
    ];
  });
  return candidates.sort((a, b) => compare(a.costMs, b.costMs) || compare(a.excess, b.excess));
}

/** What is asked of an index at a size below the full one: memory and rates are not known there. */
function looseLimits({ recall = usualRecall, labelRecall, p99Ms, deletes }: Limits): Limits {
  return {
    recall: recall - slack,
    ...(labelRecall !== undefined && { labelRecall: labelRecall - slack }),
    ...(p99Ms !== undefined && { p99Ms }),
    ...(deletes !== undefined && { deletes }),
  };
}

/** What keeps the limits comes first, the fastest of it before the others. */
export function byStanding(a: Judged, b: Judged): number {
  return standings.indexOf(a.standing) - standings.indexOf(b.standing) || bySpeed(a, b);
}

function compare(a: number, b: number): number {
  if (a === b) return 0; // also where both are infinite
  return a < b ? -1 : 1;
}
