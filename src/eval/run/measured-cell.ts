import { availableParallelism, cpus } from "node:os";
import { UserError } from "../../pipeline/errors.js";
import type { CellContext, CellOutcome, CellPlan, Sources } from "../experiments/cell.js";
import { measuringCode } from "../observe/code-version.js";
import { timingLoopMs } from "../observe/loop-time.js";

/** What measuring a cell gave. */
export interface MeasuredCell {
  readonly outcome: CellOutcome;
  /** Milliseconds spent in timing loops. */
  readonly loopMs: number;
  /** Hashes of all that it came from; null where they could not be had: it is never kept then. */
  readonly sources: Sources | null;
}

/** Measures a cell in this process. */
export async function measureHere(plan: CellPlan, context: CellContext): Promise<MeasuredCell> {
  const files = await unlessRefused(() => plan.sources.files());
  const before = timingLoopMs();
  const outcome = await plan.measure(context);
  const loopMs = timingLoopMs() - before;
  const pictures = await unlessRefused(() => plan.sources.pictures("measured"));
  const sources = files && pictures && { ...ground(), ...files, ...pictures };
  return { outcome, loopMs, sources };
}

/**
 * What has changed since a cell was measured: names of sources, none where it can be kept. All that
 * is read again is hashed again.
 */
export async function changedSources(then: Sources | null, plan: CellPlan): Promise<string[]> {
  if (!then) return ["what it came from is not known"];
  const files = await unlessRefused(() => plan.sources.files());
  const pictures = files && (await unlessRefused(() => plan.sources.pictures("now")));
  if (!files || !pictures) return ["what it came from cannot be read"];
  const now: Sources = { ...ground(), ...files, ...pictures };
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])];
  return names.filter((name) => then[name] !== now[name]);
}

/** What the times of a run's models come from. */
export async function timedSources(plans: readonly CellPlan[]): Promise<Sources> {
  const found: Record<string, string> = {};
  for (const plan of plans)
    if (plan.timing && !plan.problem)
      Object.assign(found, await unlessRefused(() => plan.sources.files()));
  return { ...ground(), ...found };
}

/** Of every cell: the code, and the machine, on which its times depend. */
function ground(): Sources {
  return {
    "this program": measuringCode(),
    "the machine": `${cpus()[0]?.model ?? "unknown"} x ${availableParallelism()}`,
  };
}

async function unlessRefused(ask: () => Promise<Sources>): Promise<Sources | null> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return null;
  }
}
