import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { networkNamed, networks, type Network } from "../../../models/networks/catalogue.js";
import { networkCost } from "../../../models/networks/network-cost.js";
import { cardOf, writeNetwork } from "../../../models/networks/network-files.js";
import { writeAtomic } from "../../pipeline/atomic-file.js";
import { whole } from "../options.js";
import { bytes, print, printJson, table } from "../terminal.js";
import type { Verb } from "../verb.js";

interface BuildOptions {
  out: string;
  seed: string;
  size?: string;
  int8?: boolean;
  writeCard?: string;
  json?: boolean;
}

export const verb: Verb = {
  build(command) {
    command.description("The paper's networks: list them with what they cost, or build one.");
    command
      .command("list", { isDefault: true })
      .description("Every network with its parameters, FLOPs (two definitions) and size.")
      .option("--json", "machine output")
      .action(list);
    command
      .command("build")
      .description(
        "Write a network as ONNX, its weights drawn from a seed: for its cost, not its answers.",
      )
      .argument("<name>", "a name of the list; families take any width, as pp-lcnet-0.75x")
      .requiredOption("--out <model.onnx>", "the file to write")
      .option("--seed <n>", "of the weights", "1")
      .option("--size <pixels>", "a side of the input (default: the paper's)")
      .option("--int8", "eight-bit integers, in the QDQ form")
      .option("--write-card <card.yaml>", "write the model's card, too")
      .option("--json", "machine output")
      .action(build);
    command
      .command("operators")
      .description("What each operator of a network adds to its multiply-adds and FLOPs.")
      .argument("<name>", "a name of the list; families take any width, as pp-lcnet-0.75x")
      .option("--size <pixels>", "a side of the input (default: the paper's)")
      .option("--json", "machine output")
      .action(operators);
  },
};

interface Listed {
  readonly name: string;
  readonly title: string;
  readonly task: Network["task"];
  readonly size: number;
  readonly parameters: number;
  readonly paddleParameters: number;
  readonly macs: number;
  readonly paddleFlops: number;
  readonly bytes: number;
}

function listed(network: Network, size?: number): Listed {
  const { parameters, work, paddle, bytes: modelBytes } = networkCost(network, size);
  const { name, title, task } = network;
  const counts = { parameters, paddleParameters: paddle.parameters, macs: work.macs };
  const side = size ?? network.size;
  return { name, title, task, size: side, ...counts, paddleFlops: paddle.flops, bytes: modelBytes };
}

function list({ json }: { json?: boolean }): void {
  const all = networks.map((n) => listed(n));
  if (json) {
    printJson(all);
    return;
  }
  const right = (head: string) => ({ head, align: "right" as const });
  const millions = (n: number): string => (n / 1e6).toFixed(n < 1e8 ? 2 : 0);
  const heads = [
    { head: "network" },
    { head: "task" },
    ...["input", "params (M)", "Paddle's", "multiply-adds (M)", "Paddle's FLOPs", "size"].map(
      right,
    ),
  ];
  const rows = all.map((n) => [
    n.name,
    n.task,
    n.size,
    millions(n.parameters),
    millions(n.paddleParameters),
    millions(n.macs),
    millions(n.paddleFlops),
    bytes(n.bytes),
  ]);
  print(table(heads, rows));
}

function operators(name: string, { size, json }: { size?: string; json?: boolean }): void {
  const side = size === undefined ? undefined : whole("--size", size);
  const { work, paddle } = networkCost(networkNamed(name), side);
  const known = new Set([
    ...Object.keys(paddle.flopsByOperator),
    ...Object.keys(work.macsByOperator),
  ]);
  const rows = [...known].map((operator) => ({
    operator,
    macs: work.macsByOperator[operator] ?? 0,
    paddleFlops: paddle.flopsByOperator[operator] ?? 0,
  }));
  rows.sort((a, b) => b.paddleFlops - a.paddleFlops);
  if (json) {
    printJson({ network: name, macs: work.macs, paddleFlops: paddle.flops, operators: rows });
    return;
  }
  const right = (head: string) => ({ head, align: "right" as const });
  const cells = rows.map((r) => [r.operator, r.macs, r.paddleFlops]);
  const heads = [{ head: "operator" }, right("multiply-adds"), right("Paddle's FLOPs")];
  print(table(heads, [...cells, ["all", work.macs, paddle.flops]]));
}

async function build(name: string, options: BuildOptions): Promise<void> {
  const network = networkNamed(name);
  const size = options.size === undefined ? undefined : whole("--size", options.size);
  const seed = whole("--seed", options.seed, 0);
  const made = { seed, int8: options.int8 === true, ...(size !== undefined && { size }) };
  // Counted first: a size that the network cannot take is refused before anything is built.
  const cost = listed(network, size);
  const sha256 = await writeNetwork(options.out, network, made);
  if (options.writeCard !== undefined) {
    await writeAtomic(options.writeCard, cardOf(network, made, sha256, basename(options.out)));
  }
  const written = {
    out: options.out,
    bytes: (await stat(options.out)).size,
    seed,
    int8: made.int8,
  };
  if (options.json) printJson({ ...cost, ...written, sha256 });
  else
    print(
      `${network.title} at ${cost.size} x ${cost.size}, seed ${seed}: ${options.out}\n` +
        `sha256 ${sha256}`,
    );
}
