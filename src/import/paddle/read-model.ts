import { UserError } from "../../pipeline/errors.js";
import { drawParameters } from "./draw-parameters.js";
import type { Program } from "./program.js";
import { parseCombined, parseSeparate, type Parameters } from "./read-parameters.js";
import { parsePdmodel } from "./read-pdmodel.js";
import { parsePir } from "./read-pir.js";
import type { ModelSource } from "./source.js";

/** A Paddle inference model's graph and parameters, with the files that they were read from. */
export interface PaddleModel {
  readonly program: Program;
  readonly parameters: Parameters;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Parameters were drawn, not read. */
  readonly drawn: boolean;
}

/** Names of graphs, the first that is there is taken; then any one `.pdmodel`. */
const graphNames = [
  "inference.pdmodel",
  "inference.json",
  "model.pdmodel",
  "model.json",
  "__model__",
];

/** Names of combined parameters that do not follow their graph's. */
const combinedNames = ["__params__", "params"];

/**
 * Reads the model in a folder or archive.
 * @param drawSeed draws the parameters instead of reading them, for graphs that came without.
 * @throws UserError saying what is missing or is no inference model, by name.
 */
export async function readPaddleModel(
  source: ModelSource,
  drawSeed: number | null,
): Promise<PaddleModel> {
  const graph = graphIn(source);
  const bytes = await source.read(graph);
  const program = parseGraph(bytes, graph, source.pathOf(graph));
  const files = [{ name: graph, bytes }];
  if (drawSeed !== null) {
    return { program, parameters: drawParameters(program, drawSeed), files, drawn: true };
  }
  const combined = parametersBeside(source, graph);
  if (combined === null) {
    return { program, parameters: await separate(source, program), files, drawn: false };
  }
  const contents = await source.read(combined);
  const parameters = parseCombined(contents, program.parameters, source.pathOf(combined));
  files.push({ name: combined, bytes: contents });
  return { program, parameters, files, drawn: false };
}

function graphIn(source: ModelSource): string {
  const { names } = source;
  const known = graphNames.find((name) => names.includes(name));
  const others = names.filter((name) => name.endsWith(".pdmodel"));
  if (known !== undefined) return known;
  if (others.length === 1) return others[0]!;
  throw noGraph(source, others);
}

function noGraph({ place, names }: ModelSource, several: readonly string[]): UserError {
  const found = names.slice(0, 12).join(", ") || "no files";
  const expected = graphNames.join(" or ");
  const complaint = { code: "paddle-missing", file: place, expected, found };
  if (several.length > 1) {
    const message = "holds several graphs";
    return new UserError({ ...complaint, message, found: several.join(", "), fix: "keep one" });
  }
  if (names.some((name) => /encrypt/i.test(name))) {
    const message = "holds an encrypted model";
    return new UserError({
      ...complaint,
      message,
      fix: "decrypt it with the tool that encrypted it",
    });
  }
  if (names.some((name) => name.endsWith(".pdparams"))) {
    return new UserError({
      ...complaint,
      message: "holds a training checkpoint, which has no graph",
      fix: "export it: tools/export_model.py of PaddleClas or PaddleDetection, or paddle.jit.save",
    });
  }
  return new UserError({
    ...complaint,
    message: "holds no Paddle inference model",
    fix: "give the folder or archive with the graph and its parameters",
  });
}

function parseGraph(bytes: Uint8Array, name: string, path: string): Program {
  if (bytes[0] === 0x80 && (bytes[1] ?? 0) < 6) {
    throw new UserError({
      code: "paddle-unreadable",
      message: "is a Python pickle, not a graph",
      file: path,
      fix: "export the model with paddle.jit.save; pickles are never opened here",
    });
  }
  if (name.endsWith(".json")) return parsePir(Buffer.from(bytes).toString("utf8"), path);
  return parsePdmodel(bytes, path);
}

function parametersBeside({ names }: ModelSource, graph: string): string | null {
  const stem = graph.replace(/\.(pdmodel|json)$/, "");
  const usual = [`${stem}.pdiparams`, ...combinedNames];
  const others = names.filter((name) => name.endsWith(".pdiparams"));
  return usual.find((name) => names.includes(name)) ?? (others.length === 1 ? others[0]! : null);
}

async function separate(source: ModelSource, program: Program): Promise<Parameters> {
  const missing = program.parameters.find(({ name }) => !source.names.includes(name));
  if (!missing) return await parseSeparate(program.parameters, source);
  const some = program.parameters.some(({ name }) => source.names.includes(name));
  throw new UserError({
    code: "paddle-missing",
    message: some ? `parameter ${missing.name} is missing` : "the parameters are missing",
    file: source.place,
    expected: some ? `a file named ${missing.name}` : "a .pdiparams file beside the graph",
    found: source.names.slice(0, 12).join(", "),
    fix: "take them from the same export; --draw-parameters 1 draws some for counting and timing",
  });
}
