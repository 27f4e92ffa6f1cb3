import { defaultIntervals } from "../../stats/interval-plan.js";
import { betaQuantile } from "../../stats/distributions.js";
import { undefinedScore, type Undefined } from "../../stats/score.js";

/** A figure measured at one size. */
export interface Sample {
  readonly size: number;
  readonly value: number;
  /** Half the width of its 95% interval; 0 where it has none. */
  readonly halfWidth: number;
}

/**
 * How a figure follows the size n: `power` is a n^b (times), `logit` is a ratio whose log odds are
 * a + b log n (recall). Both are straight lines over log n.
 */
export type LawForm = "power" | "logit";

export interface Law {
  readonly form: LawForm;
  readonly intercept: number;
  readonly slope: number;
  readonly samples: readonly Sample[];
  /** Standard deviation about the line, on the line's scale. */
  readonly residual: number;
  readonly freedom: number;
}

export interface Prediction {
  readonly size: number;
  readonly value: number;
  /** A new measurement lies in it with 95% probability, if the law holds; null without freedom. */
  readonly ci: readonly [number, number] | null;
  /** Beyond the sizes that were measured. */
  readonly extrapolated: boolean;
}

/** A ratio of 1 has no log odds: it is taken this far below. */
const edge = 1e-6;

/**
 * Fits a law by least squares over log n. Two sizes give a line without an interval.
 *
 * @returns `value: null` where fewer than two different sizes were measured.
 */
export function fitLaw(samples: readonly Sample[], form: LawForm): Law | Undefined {
  const sizes = new Set(samples.map((s) => s.size));
  if (sizes.size < 2) return undefinedScore(`${sizes.size} sizes measured; a law needs two`);
  const xs = samples.map((s) => Math.log(s.size));
  const ys = samples.map((s) => toLine(s.value, form));
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const slope = xs.reduce((sum, x, i) => sum + (x - meanX) * (ys[i]! - meanY), 0) / spread;
  const intercept = meanY - slope * meanX;
  const squares = xs.reduce((sum, x, i) => sum + (ys[i]! - intercept - slope * x) ** 2, 0);
  const freedom = samples.length - 2;
  const scatter = freedom > 0 ? Math.sqrt(squares / freedom) : 0;
  return {
    form,
    intercept,
    slope,
    samples,
    freedom,
    residual: Math.max(scatter, noiseOf(samples, form)),
  };
}

/** The law at a size, with the prediction interval of a straight line (Draper and Smith, 3.1). */
export function predict(law: Law, size: number, level = defaultIntervals.level): Prediction {
  const x = Math.log(size);
  const xs = law.samples.map((s) => Math.log(s.size));
  const meanX = mean(xs);
  const spread = xs.reduce((sum, own) => sum + (own - meanX) ** 2, 0);
  const y = law.intercept + law.slope * x;
  const largest = Math.max(...law.samples.map((s) => s.size));
  const head = { size, value: fromLine(y, law.form), extrapolated: size > largest };
  if (law.freedom < 1) return { ...head, ci: null };
  const leverage = 1 + 1 / xs.length + (x - meanX) ** 2 / spread;
  const half = studentQuantile(0.5 + level / 2, law.freedom) * law.residual * Math.sqrt(leverage);
  return { ...head, ci: [fromLine(y - half, law.form), fromLine(y + half, law.form)] };
}

/** The t with P(T <= t) = p for Student's T, p above one half. */
export function studentQuantile(p: number, freedom: number): number {
  const x = betaQuantile(2 * (1 - p), freedom / 2, 0.5);
  return Math.sqrt((freedom * (1 - x)) / x);
}

/**
 * What measurement alone leaves uncertain, on the line's scale: three points may lie on a line by
 * chance, and an interval must not shrink to nothing for that.
 */
function noiseOf(samples: readonly Sample[], form: LawForm): number {
  const deviations = samples.map(({ value, halfWidth }) => {
    const low = toLine(value - halfWidth, form);
    const high = toLine(value + halfWidth, form);
    return (high - low) / 2 / 1.96;
  });
  return Math.sqrt(mean(deviations.map((d) => d * d)));
}

function toLine(value: number, form: LawForm): number {
  if (form === "power") return Math.log(Math.max(value, Number.MIN_VALUE));
  const inside = Math.min(1 - edge, Math.max(edge, value));
  return Math.log(inside / (1 - inside));
}

function fromLine(y: number, form: LawForm): number {
  return form === "power" ? Math.exp(y) : 1 / (1 + Math.exp(-y));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}
