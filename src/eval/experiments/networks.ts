import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Tensor, type InferenceSession } from "onnxruntime-node";
import { networkNamed, type Network } from "../../../models/networks/catalogue.js";
import { networkCost } from "../../../models/networks/network-cost.js";
import { cachedNetwork } from "../../../models/networks/network-files.js";
import { drawnPicture } from "../../../models/networks/settle-norms.js";
import { UserError } from "../../pipeline/errors.js";
import { inspectOnnx } from "../../pipeline/onnx/inspect.js";
import { readOnnx } from "../../pipeline/onnx/read-model.js";
import { openSession, runSession } from "../../pipeline/onnx/session.js";
import type { NetworkMeasurement } from "../config/config.js";
import type { Contender } from "../latency/interleave.js";
import { timingLoop } from "../observe/loop-time.js";
import type { Resources } from "../observe/resources.js";
import type { RecordedScore } from "../record/record.js";
import type { CellContext, CellOutcome, CellPlan } from "./cell.js";
import { judgeRounds, runRounds } from "./latency-comparison.js";
import { noSources } from "./sources.js";

/**
 * What the paper's networks cost by architecture alone: a cell a network with its size, parameters
 * and work; and, where asked, a cell a number of threads in which all are timed in the same rounds.
 */
export function planNetworks(
  m: NetworkMeasurement,
  table: number | undefined,
  resources: Resources,
): CellPlan[] {
  const asked = m.networks.map((item) => askedNetwork(item, resources));
  const costs = asked.map((a): CellPlan => ({
    kind: "network",
    labels: { model: a.label, network: a.network.name, size: String(a.network.size) },
    sources: noSources,
    measure: () => measureCost(a, m.seed),
  }));
  if (!m.latency) return costs;
  const { threads, rounds } = m.latency;
  const beside = table === undefined ? {} : { paperTable: String(table) };
  const timed = threads.map((count): CellPlan => {
    const used = count === "all" ? availableParallelism() : count;
    const networks = asked.map((a) => a.label).join(", ");
    return {
      kind: "network-latency",
      labels: { networks, threads: String(used), ...beside },
      sources: noSources,
      measure: (context) => measureRounds(asked, { threads: used, rounds, seed: m.seed }, context),
    };
  });
  return [...costs, ...timed];
}

interface Asked {
  readonly label: string;
  readonly network: Network;
  readonly int8: boolean;
}

function askedNetwork(
  { network: name, name: label, int8 }: NetworkMeasurement["networks"][number],
  { loaded }: Resources,
): Asked {
  try {
    const network = networkNamed(name);
    return { label: label ?? `${name}${int8 ? "-int8" : ""}`, network, int8 };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError({ ...error.complaint, file: loaded.file, path: "measure, networks" });
  }
}

async function measureCost({ network, int8 }: Asked, seed: number): Promise<CellOutcome> {
  const versions = { network: network.name, seed: String(seed) };
  return { versions, scores: await costOf(network, int8, seed), cases: [] };
}

/** A float network is counted in its graph alone; an eight-bit one is written, for its size. */
async function costOf(network: Network, int8: boolean, seed: number): Promise<RecordedScore[]> {
  const exact = { n: 1, interval: null };
  const lower = { better: "lower" as const, ...exact };
  const paddle = { of: { definition: "paddle" } };
  if (int8) {
    const file = join(await cachedNetwork(network, { seed, int8 }), "model.onnx");
    const { bytes, parameters } = await inspectOnnx(file);
    return [
      { metric: "model-size", unit: "bytes", value: bytes, ...lower },
      { metric: "params", unit: "count", value: parameters, ...lower },
    ];
  }
  const cost = networkCost(network);
  return [
    { metric: "model-size", unit: "bytes", value: cost.bytes, ...lower },
    { metric: "params", unit: "count", value: cost.parameters, ...lower },
    { metric: "macs", unit: "count", value: cost.work.macs, ...lower },
    { metric: "params", unit: "count", value: cost.paddle.parameters, ...lower, ...paddle },
    { metric: "macs", unit: "count", value: cost.paddle.flops, ...lower, ...paddle },
  ];
}

interface Timing {
  readonly threads: number;
  readonly rounds: number;
  readonly seed: number;
}

async function measureRounds(
  asked: readonly Asked[],
  { threads, rounds, seed }: Timing,
  { signal, progress, intervals: { level } }: CellContext,
): Promise<CellOutcome> {
  const sessions: InferenceSession[] = [];
  try {
    const contenders: Contender[] = [];
    for (const { label, network, int8 } of asked) {
      signal.throwIfAborted();
      const file = join(await cachedNetwork(network, { seed, int8 }), "model.onnx");
      const session = await openSession((await readOnnx(file)).bytes, file, { threads });
      sessions.push(session);
      contenders.push(contender(label, session, { size: network.size, file, signal }));
    }
    let round = 0;
    const told = (): void => progress(Math.min(++round, rounds), rounds);
    const options = { rounds, warmupRounds: 2, seed: "networks" };
    const measured = await timingLoop(() => runRounds(contenders, options, told));
    const versions = Object.fromEntries(asked.map((a) => [a.label, `drawn, seed ${seed}`]));
    // All are put in proportion to the last network, the paper's own.
    const judged = judgeRounds(measured, 0.05, { level, against: asked.at(-1)!.label });
    return { ...judged, versions, notes: [], cases: [] };
  } finally {
    for (const session of sessions) await session.release();
  }
}

interface Run {
  readonly size: number;
  readonly file: string;
  readonly signal: AbortSignal;
}

/** One network on one drawn picture; it must answer alike each time. */
function contender(
  name: string,
  session: InferenceSession,
  { size, file, signal }: Run,
): Contender {
  const picture = new Tensor("float32", drawnPicture(size), [1, 3, size, size]);
  const feeds = { [session.inputNames[0]!]: picture };
  let first: number | undefined;
  let last = NaN;
  return {
    name,
    before: () => {
      signal.throwIfAborted();
      if (Number.isNaN(last)) return;
      first ??= last;
      if (Math.abs(last - first) > 1e-4 * Math.max(1, Math.abs(first))) {
        const message = `${name}: the same picture gave another result when it was repeated`;
        throw new UserError({ code: "not-reproducible", message, file });
      }
    },
    run: async () => {
      const outputs = await runSession(session, feeds, file);
      last = (Object.values(outputs)[0]!.data as Float32Array)[0]!;
    },
  };
}
