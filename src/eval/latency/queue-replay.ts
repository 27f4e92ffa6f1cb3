import { Random } from "../stats/random.js";
import { correlationTime } from "../stats/serial-correlation.js";

/**
 * Whether one queue meets a latency bound, judged by what its own service times would have done
 * under many other arrivals. The waits of a run are not independent, and whether a queue built
 * within it is luck of its arrivals; but the arrivals are ours, and only the service times are
 * unknown. So the service times of the run are drawn again, in blocks that keep their correlation,
 * and Poisson arrivals in their thousands pass through (`bench/server-simulation.ts` has how often
 * the verdict is false).
 */

/** Queries with their scheduled arrivals and how long each took from there, in ms. */
export interface ServedQueries {
  readonly arrivalsMs: ArrayLike<number>;
  readonly latenciesMs: ArrayLike<number>;
}

/**
 * Time for which each query held the queue: from its arrival, or from when the one before it was
 * answered, until its own answer (Lindley 1952). 0 where it was answered before an earlier one.
 */
export function serviceTimes({ arrivalsMs, latenciesMs }: ServedQueries): Float64Array {
  let free = -Infinity;
  return Float64Array.from({ length: arrivalsMs.length }, (_, i) => {
    const answered = arrivalsMs[i]! + latenciesMs[i]!;
    const held = Math.max(0, answered - Math.max(arrivalsMs[i]!, free));
    free = Math.max(free, answered);
    return held;
  });
}

export interface QueueBound {
  /** Arrivals a second. */
  readonly qps: number;
  readonly boundMs: number;
  /** Share of the queries that must be answered within the bound. */
  readonly percentile: number;
}

/** Fewer effective service times say too little of their mean. */
const leastServices = 200;
/** Replays, all of which must agree: 99% confidence. */
const replays = 99;
const arrivals = 12_000;

export interface QueueVerdict {
  readonly verdict: "met" | "missed" | "cannot tell";
  /** Shares of late queries over the replays, lowest and highest; null where there were none. */
  readonly late: readonly [number, number] | null;
}

/**
 * @param services in ms, in the order in which they were taken. Their mean is uncertain by its
 * standard error, which each replay adds on the side that speaks against the verdict.
 */
export function judgeQueue(
  services: Float64Array,
  bound: QueueBound,
  seed: number | string = 0,
): QueueVerdict {
  const n = services.length;
  const time = n < 2 ? Infinity : correlationTime(services);
  if (n / time < leastServices) return { verdict: "cannot tell", late: null };
  const mean = services.reduce((s, v) => s + v, 0) / n;
  const squares = services.reduce((s, v) => s + (v - mean) ** 2, 0);
  const error = Math.sqrt((squares / n / n) * time) / mean;
  const block = Math.min(Math.floor(n / 10), Math.max(10, Math.round(10 * time)));
  const allowed = 1 - bound.percentile;
  const shares = (scale: number): Float64Array => {
    const random = new Random(seed).split("replay");
    const gaps = new Float64Array(arrivals);
    return Float64Array.from({ length: replays }, () => {
      for (let i = 0; i < arrivals; i++) gaps[i] = random.exponential();
      return lateShare(redrawn(services, { block, scale, random }), { block, gaps, random }, bound);
    }).sort();
  };
  const slow = shares(1 + error);
  if (slow.at(-1)! <= allowed) return { verdict: "met", late: [slow[0]!, slow.at(-1)!] };
  const fast = shares(1 - error);
  const late = [fast[0]!, slow.at(-1)!] as const;
  return { verdict: fast[0]! > allowed ? "missed" : "cannot tell", late };
}

/** As many service times in blocks, drawn with replacement: the run as it might have been. */
function redrawn(
  services: Float64Array,
  { block, scale, random }: { block: number; scale: number; random: Random },
): Float64Array {
  const n = services.length;
  let from = 0;
  return Float64Array.from({ length: n }, (_, i) => {
    if (i % block === 0) from = random.below(n);
    return scale * services[(from + (i % block)) % n]!;
  });
}

function lateShare(
  services: Float64Array,
  { block, gaps, random }: { block: number; gaps: Float64Array; random: Random },
  { qps, boundMs }: QueueBound,
): number {
  const n = services.length;
  let [wait, late, from] = [0, 0, 0];
  for (let i = 0; i < gaps.length; i++) {
    if (i % block === 0) from = random.below(n);
    wait = Math.max(0, wait - (1000 / qps) * gaps[i]!) + services[(from + (i % block)) % n]!;
    if (wait > boundMs) late++;
  }
  return late / gaps.length;
}

/** The highest rate that such service times would meet, by halving; null where none is. */
export function foreseenQps(
  services: Float64Array,
  { boundMs, percentile }: Omit<QueueBound, "qps">,
): number | null {
  const random = new Random("foreseen");
  const gaps = Float64Array.from({ length: arrivals }, () => random.exponential());
  const mean = services.reduce((s, v) => s + v, 0) / services.length;
  if (!(mean > 0)) return null;
  const meets = (qps: number): boolean => {
    const drawn = { block: 1, gaps, random: new Random("order") };
    return lateShare(services, drawn, { qps, boundMs, percentile }) <= 1 - percentile;
  };
  let [low, high] = [0.01 * (1000 / mean), 1000 / mean];
  if (!meets(low)) return null;
  for (let i = 0; i < 12; i++) {
    const middle = Math.sqrt(low * high);
    if (meets(middle)) low = middle;
    else high = middle;
  }
  return low;
}
