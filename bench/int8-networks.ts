// npx tsx bench/int8-networks.ts [ROUNDS]: the paper's networks in floats and in eight bits, in
// turns; and by operator, where the time of each goes (ONNX Runtime's own profile).
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { networkNamed } from "../models/networks/catalogue.js";
import { madeNetwork } from "../models/networks/network-files.js";
import { drawnPicture } from "../models/networks/settle-norms.js";
import { compareLatency } from "../src/eval/latency/noise-certificate.js";
import { openSession } from "../src/pipeline/onnx/session.js";
import { concatBytes } from "../src/pipeline/onnx/wire.js";
import { modelParts } from "../src/pipeline/onnx/write-model.js";
import { writeResult } from "./result.js";

const rounds = Number(process.argv[2] ?? 60);
const names = ["mobilenet-v1-1x", "pp-lcnet-1x", "rec-pp-lcnet-2.5x", "picodet-lcnet-2.5x"];

interface Form {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly feeds: Record<string, Tensor>;
}

async function formOf(name: string, int8: boolean): Promise<Form> {
  const network = networkNamed(name);
  const { size } = network;
  const bytes = concatBytes(modelParts(await madeNetwork(network, { seed: 1, int8 })));
  const image = new Tensor("float32", drawnPicture(size), [1, 3, size, size]);
  return { name: int8 ? "eight bits" : "floats", bytes, feeds: { image } };
}

/** Milliseconds a run by operator, of twenty runs with the profile on. */
async function byOperator({ bytes, feeds }: Form): Promise<Map<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "profile-"));
  const runs = 20;
  try {
    const session = await InferenceSession.create(bytes, {
      executionProviders: ["cpu"],
      intraOpNumThreads: 1,
      graphOptimizationLevel: "all",
      logSeverityLevel: 4,
      enableProfiling: true,
      profileFilePrefix: join(folder, "ort"),
    });
    for (let i = 0; i < runs; i++) await session.run(feeds);
    session.endProfiling();
    await session.release();
    const [file] = readdirSync(folder);
    const events = JSON.parse(readFileSync(join(folder, file!), "utf8")) as {
      cat: string;
      name: string;
      dur: number;
      args?: { op_name?: string };
    }[];
    const spent = new Map<string, number>();
    for (const { cat, name, dur, args } of events) {
      if (cat !== "Node" || !name.endsWith("_kernel_time") || !args?.op_name) continue;
      spent.set(args.op_name, (spent.get(args.op_name) ?? 0) + dur / 1000 / runs);
    }
    return spent;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const times: (string | number | { value: number; ci: [number, number] | null })[][] = [];
const operators: (string | number)[][] = [];
for (const name of names) {
  const forms = [await formOf(name, false), await formOf(name, true)] as const;
  const sessions = await Promise.all(forms.map((f) => openSession(f.bytes, name)));
  const [first, second] = forms.map((f, i) => ({
    name: f.name,
    run: () => sessions[i]!.run(f.feeds),
  }));
  const found = await compareLatency(first!, second!, { rounds, warmupRounds: 3, seed: name });
  const { ratio, certificate, verdict } = found;
  const ci = ratio.value !== null && ratio.interval;
  times.push([
    name,
    forms[0].bytes.length,
    forms[1].bytes.length,
    { value: ratio.value ?? NaN, ci: ci ? [ci.low, ci.high] : null },
    certificate.passed ? verdict : `${verdict}: certificate failed`,
  ]);
  for (const s of sessions) await s.release();
  for (const form of forms)
    for (const [operator, ms] of [...(await byOperator(form))]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 8))
      operators.push([name, form.name, operator, ms]);
  console.log(JSON.stringify(times.at(-1)));
}
for (const row of operators) console.log(row.join("\t"));
await writeResult({
  name: "int8-networks",
  title: "What eight bits cost and spare",
  subject: "models",
  findings: [
    `One thread, batch 1, ${rounds} rounds in turns; the time of eight bits over that of floats.`,
    "QDQ as the builders write it: convolutions in integers, what has no integer kernel " +
      "(hard-swish, pools, boxes) between a dequantise and a quantise.",
  ],
  tables: [
    {
      columns: [
        { head: "network", unit: "text" },
        { head: "floats", unit: "bytes" },
        { head: "eight bits", unit: "bytes" },
        { head: "time over floats'", unit: "ratio" },
        { head: "verdict", unit: "text" },
      ],
      rows: times,
    },
    {
      caption: "Where the time of one run goes, the eight largest operators of each",
      columns: [
        { head: "network", unit: "text" },
        { head: "form", unit: "text" },
        { head: "operator", unit: "text" },
        { head: "time of a run", unit: "ms" },
      ],
      rows: operators,
    },
  ],
});
