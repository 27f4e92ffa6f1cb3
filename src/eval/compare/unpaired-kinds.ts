/**
 * Why cells of a kind in two records get no verdict, or null where they do: one place for the verb
 * and the pages. Two runs share neither the moment nor what else the machine did.
 */
export function whyNoVerdict(kind: string): string | null {
  return reasons[kind] ?? null;
}

const times = "times of two runs are not paired: compare them interleaved in one run";
const reasons: Readonly<Record<string, string>> = {
  latency: times,
  "latency-comparison": times,
  "index-comparison": times,
};
