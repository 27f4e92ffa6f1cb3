import type { Built } from "./building/built.js";
import type { Finalist } from "./finals.js";
import { bySpeed, worstExcess, type Judged } from "./pick.js";
import { settingKey } from "./point.js";

/** Indexes that come into the last comparison, and points of each. */
const mostSettings = 4;
const mostPoints = 3;

/**
 * The points among which the pick is sought: of the fastest indexes the fastest that is within all
 * limits for sure, and those faster that may be.
 */
export function finalists(judged: readonly Judged[], open: ReadonlyMap<string, Built>): Finalist[] {
  const fitting = judged
    .filter((j) => j.standing !== "broken" && open.has(settingKey(j.point.setting)))
    .sort(bySpeed);
  const bySetting = new Map<string, Judged[]>();
  for (const candidate of fitting) {
    const key = settingKey(candidate.point.setting);
    bySetting.set(key, [...(bySetting.get(key) ?? []), candidate]);
  }
  return [...bySetting.entries()]
    .slice(0, mostSettings)
    .flatMap(([key, own]) =>
      contenders(own).map(({ point }) => ({ point, built: open.get(key)! })),
    );
}

/** From the last that may fit by its value to the first that is sure. */
function contenders(own: readonly Judged[]): Judged[] {
  const sure = own.findIndex((j) => j.standing === "met");
  const until = sure < 0 ? own.length : sure + 1;
  const near = own.slice(0, until).filter((j) => j.standing === "met" || worstExcess(j) === 0);
  return near.slice(-mostPoints);
}
