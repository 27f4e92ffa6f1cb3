import { families, valueOf, type Family } from "./point.js";
import { worstExcess, type Choice, type Judged } from "./pick.js";
import type { LimitCheck } from "./limits.js";

/** Why a family is not the pick. */
export type WhyNot =
  | { readonly family: Family; readonly because: "picked"; readonly best: Judged }
  | {
      readonly family: Family;
      readonly because: "slower";
      readonly best: Judged;
      /** Its median time over that of the pick. */
      readonly timesAsLong: number;
    }
  | {
      readonly family: Family;
      readonly because: "limits";
      /** The point that misses them least. */
      readonly best: Judged;
      readonly missed: readonly LimitCheck[];
    }
  | {
      readonly family: Family;
      /** It keeps the limits on a sample; of all vectors it was not built. */
      readonly because: "sample-only";
      readonly best: Judged;
      readonly why: string;
    }
  | { readonly family: Family; readonly because: "not-measured"; readonly why: string };

/**
 * One entry a family that was asked for, in the order of `families`.
 *
 * @param unmeasured why nothing of a family was measured, for those of which nothing was.
 */
export function whyNot(
  judged: readonly Judged[],
  { pick }: Pick<Choice, "pick">,
  unmeasured: Readonly<Partial<Record<Family, string>>>,
): WhyNot[] {
  return families.flatMap((family): WhyNot[] => {
    const own = judged.filter((j) => j.point.setting.family === family);
    const why = unmeasured[family];
    if (own.length > 0) return [reasonOf(family, own, pick, why)];
    return why === undefined ? [] : [{ family, because: "not-measured", why }];
  });
}

function reasonOf(
  family: Family,
  own: readonly Judged[],
  pick: Judged | null,
  why = "the budget did not reach all of them",
): WhyNot {
  if (pick?.point.setting.family === family) return { family, because: "picked", best: pick };
  const sure = own.filter((j) => j.standing === "met");
  const best = nearest(sure.length > 0 ? sure : own);
  // Times on a sample say nothing of times on all vectors.
  const onSample = pick !== null && best.point.size < pick.point.size;
  if (onSample && best.standing !== "broken") return { family, because: "sample-only", best, why };
  if (sure.length > 0 && pick !== null) {
    return { family, because: "slower", best, timesAsLong: timeOf(best) / timeOf(pick) };
  }
  return { family, because: "limits", best, missed: best.checks.filter(isMissed) };
}

function isMissed({ verdict }: LimitCheck): boolean {
  return verdict !== "met";
}

/** Of those that miss the limits least, the fastest. */
function nearest(own: readonly Judged[]): Judged {
  const order = [...own].sort(
    (a, b) => compare(worstExcess(a), worstExcess(b)) || timeOf(a) - timeOf(b),
  );
  return order[0]!;
}

function compare(a: number, b: number): number {
  if (a === b) return 0; // also where both are infinite
  return a < b ? -1 : 1;
}

function timeOf({ point }: Judged): number {
  return valueOf(point, "p50Ms") ?? Infinity;
}
