// paddle/: the folder or archive of a Paddle model in; an ONNX model, its card and a report out. It
// never sees labelled data, an evaluation or the command line.
import { createHash } from "node:crypto";
import { modelParts, type DraftModel, type DraftValue } from "../../pipeline/onnx/write-model.js";
import { buildModel, type BuiltModel } from "./build-model.js";
import { readModelConfig, type ModelConfig } from "./cards/config.js";
import { cardText } from "./cards/write-card.js";
import { formed, type Form, type FormedProgram } from "./form.js";
import type { Program } from "./program.js";
import { readPaddleModel, type PaddleModel } from "./read-model.js";
import type { ModelSource } from "./source.js";
import type { InputSizes } from "./translate.js";

export interface ImportOptions {
  /** Of the card, and of the graph: lower-case letters, digits, dots, dashes. */
  readonly name: string;
  readonly opset: number;
  /** Null: open where the graph allows, else 1. */
  readonly batch: number | null;
  /** Null: the graph's, else the configuration's. */
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly form: Form | null;
  readonly keepNorms: boolean;
  /** Draw parameters for a graph that came without. */
  readonly drawSeed: number | null;
  /** What a file elsewhere says of this model, before what stands beside it. */
  readonly config?: ModelConfig;
}

export interface ImportReport {
  readonly source: string;
  readonly format: Program["format"];
  readonly files: readonly { readonly name: string; readonly bytes: number; sha256: string }[];
  readonly drawn: boolean;
  readonly parameters: { readonly tensors: number; readonly elements: number };
  readonly paddleOperators: Readonly<Record<string, number>>;
  readonly onnxOperators: Readonly<Record<string, number>>;
  readonly opset: number;
  readonly inputs: readonly DraftValue[];
  readonly outputs: readonly DraftValue[];
  readonly form: Form | null;
  readonly why: string;
  readonly config: string | null;
  /** What a reader should know: assumptions, what was fixed, what is not taken over. */
  readonly notes: readonly string[];
}

export interface Imported {
  readonly model: DraftModel;
  /** The model file's bytes, as parts. */
  readonly parts: readonly Uint8Array[];
  readonly card: string;
  readonly report: ImportReport;
}

/**
 * Takes a Paddle inference model in: graph, parameters, preprocessing.
 * @throws UserError for anything in it that is not whole, not known or not supported, by name.
 */
export async function importModel(source: ModelSource, options: ImportOptions): Promise<Imported> {
  const paddle = await readPaddleModel(source, options.drawSeed);
  const config = options.config ?? (await readModelConfig(source));
  const sized = withSize(paddle.program, options.size ?? config.preparation.size?.value ?? null);
  const shape = formed(sized, options.form);
  const sizes = sizesFor(shape, options);
  const built = await buildModel(shape.program, paddle.parameters, { ...options, sizes });
  const parts = modelParts(built.model);
  const card = cardText({
    name: options.name,
    sha256: digest(parts),
    inputs: built.model.graph.inputs,
    outputs: built.model.graph.outputs,
    config,
    suppression: shape.suppression,
    task: taskOf(shape, config),
    form: shape.form,
    origin: originOf(paddle, config),
  });
  const report = reportOf(source, paddle, { built, shape, config, sizes });
  return { model: built.model, parts, card, report };
}

/** Pictures whose size the program leaves open get the size that is known otherwise. */
function withSize(
  program: Program,
  size: { readonly width: number; readonly height: number } | null,
): Program {
  if (size === null) return program;
  const feeds = program.feeds.map((feed) => {
    if (feed.shape?.length !== 4) return feed;
    const [batch = -1, channels = 3, height = -1, width = -1] = feed.shape;
    const shape = [
      batch,
      channels,
      height < 0 ? size.height : height,
      width < 0 ? size.width : width,
    ];
    return { ...feed, shape };
  });
  return { ...program, feeds };
}

/** Loops over the batch, and suppression, need a batch that is known. */
function sizesFor({ program, form, fixed }: FormedProgram, { batch }: ImportOptions): InputSizes {
  const loops = program.blocks.length > 1;
  const needed = loops || form === "nms-inside";
  return { batch: batch ?? (needed ? 1 : null), fixed };
}

function taskOf(
  { form }: FormedProgram,
  config: ModelConfig,
): "detection" | "recognition" | "classification" {
  if (form !== null) return "detection";
  return config.task ?? "recognition";
}

function originOf({ files, drawn }: PaddleModel, { name, architecture }: ModelConfig): string {
  const what = name ?? architecture ?? "a Paddle inference model";
  const from = files.map((file) => file.name).join(" and ");
  return drawn ? `${what}: graph of ${from}, parameters drawn` : `${what}: ${from}`;
}

interface ReportParts {
  readonly built: BuiltModel;
  readonly shape: FormedProgram;
  readonly config: ModelConfig;
  readonly sizes: InputSizes;
}

function reportOf(source: ModelSource, paddle: PaddleModel, parts: ReportParts): ImportReport {
  const { built, shape, config } = parts;
  const { graph, opset } = built.model;
  const tensors = [...paddle.parameters.values()];
  return {
    source: source.place,
    format: paddle.program.format,
    files: paddle.files.map(({ name, bytes }) => ({
      name,
      bytes: bytes.length,
      sha256: digest([bytes]),
    })),
    drawn: paddle.drawn,
    parameters: {
      tensors: tensors.length,
      elements: tensors.reduce((sum, t) => sum + t.dims.reduce((p, d) => p * d, 1), 0),
    },
    paddleOperators: sorted(built.translated.operators),
    onnxOperators: counted(graph.nodes.map((node) => node.op)),
    opset,
    inputs: graph.inputs,
    outputs: graph.outputs,
    form: shape.form,
    why: shape.why,
    config: config.file,
    notes: notesOf(paddle, parts),
  };
}

function notesOf(paddle: PaddleModel, { built, shape, config, sizes }: ReportParts): string[] {
  const notes = [...config.preparation.notes];
  const open = shape.program.feeds.some((feed) => (feed.shape?.[0] ?? 0) < 0);
  if (paddle.drawn) notes.push("the parameters are drawn: the model recognises nothing");
  if (config.file === null) notes.push("no file states the preprocessing: the card assumes it");
  if (open && sizes.batch !== null) notes.push(`the batch is fixed at ${sizes.batch}`);
  for (const [name, values] of sizes.fixed) {
    notes.push(`input ${name} is fixed at [${values.join(", ")}]`);
  }
  const { unknown } = built.translated;
  if (unknown.length > 0) notes.push(`attributes of unknown meaning: ${unknown.join(", ")}`);
  return notes;
}

function counted(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return sorted(counts);
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
