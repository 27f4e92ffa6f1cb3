import { basename, resolve } from "node:path";
import { forms, type Form } from "../../import/paddle/form.js";
import {
  importModel,
  type ImportOptions,
  type ImportReport,
} from "../../import/paddle/import-model.js";
import { openSource } from "../../import/paddle/source.js";
import { readDeployment } from "../../import/paddle/system/deployment.js";
import { importSystem } from "../../import/paddle/system/import-system.js";
import { writeImported } from "../../import/paddle/written-model.js";
import { refuseExisting } from "../../import/write-folder.js";
import { UserError } from "../../pipeline/errors.js";
import { showShape } from "../../pipeline/forms/detector-form.js";
import { choice, whole } from "../options.js";
import { bytes, print, printJson, table, visible } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  out: string;
  opset: string;
  batch?: string;
  size?: string;
  form?: string;
  keepNorms?: boolean;
  drawParameters?: string;
  root?: string;
  json?: boolean;
}

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Take a PaddlePaddle inference model in: writes model.onnx, card.yaml and import.json.",
      )
      .argument(
        "<folder|archive.tar|inference.yaml>",
        "as downloaded: graph, parameters, configuration; or PaddleClas's file of a whole system",
      )
      .requiredOption("--out <folder>", "folder to write; its name becomes the model's")
      .option("--opset <n>", "of the ONNX file, 13 to 21", "17")
      .option("--batch <n>", "fix the batch; left open where the graph allows it")
      .option("--size <WxH>", "size of the picture, where neither graph nor configuration says")
      .option("--form <form>", `of a detector: ${forms.join(" or ")}`)
      .option("--keep-norms", "leave batch normalisation as operators of its own")
      .option("--draw-parameters <seed>", "draw the parameters of a graph that came without")
      .option("--root <folder>", "of a whole system: PaddleClas's deploy folder")
      .option("--json", "machine output")
      .action(run);
  },
};

async function run(place: string, options: Options): Promise<void> {
  refuseExisting(options.out);
  if (/\.ya?ml$/i.test(place)) return importDeployment(place, options);
  const imported = await importModel(await openSource(place), importOptions(options));
  await writeImported(options.out, imported);
  if (options.json) printJson(imported.report);
  else print(describe(imported.report, options.out));
}

/** PaddleClas's `inference_*.yaml`: detector, embedder, gallery and thresholds together. */
async function importDeployment(file: string, options: Options): Promise<void> {
  const deployment = await readDeployment(file, options.root);
  const imported = await importSystem(deployment, options.out, importOptions(options));
  if (options.json) return printJson(imported);
  const models = [
    ["detector", imported.detector],
    ["embedder", imported.embedder],
  ] as const;
  const lines = models.map(([part, report]) => {
    if (!report) return `${part}   none: only the whole picture is looked up`;
    const { elements } = report.parameters;
    return `${part}   ${report.source}, ${elements.toLocaleString("en-US")} parameters`;
  });
  const gallery = imported.gallery === null ? "none" : `${imported.gallery} entries`;
  const notes = [...imported.notes, ...models.flatMap(([, report]) => report?.notes ?? [])];
  print(
    [
      [...lines, `gallery    ${gallery}`].map(visible).join("\n"),
      ...notes.map((note) => `note: ${visible(note)}`),
      `Wrote ${options.out}: npx shitu recognize --system ${options.out} PICTURE`,
    ].join("\n\n"),
  );
}

function importOptions(options: Options): ImportOptions {
  return {
    name: modelName(options.out),
    opset: opsetOf(options.opset),
    batch: options.batch === undefined ? null : whole("--batch", options.batch),
    size: options.size === undefined ? null : sizeOf(options.size),
    form: options.form === undefined ? null : choice<Form>("--form", options.form, forms),
    keepNorms: options.keepNorms === true,
    drawSeed:
      options.drawParameters === undefined
        ? null
        : whole("--draw-parameters", options.drawParameters, 0),
  };
}

function opsetOf(text: string): number {
  const opset = whole("--opset", text);
  if (opset >= 13 && opset <= 21) return opset;
  throw new UserError({
    code: "bad-option",
    message: "--opset takes a version that can be written",
    expected: "13 to 21",
    found: text,
  });
}

function sizeOf(text: string): { width: number; height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (width === undefined || height === undefined) {
    const complaint = { code: "bad-option", message: "--size takes width and height" };
    throw new UserError({ ...complaint, expected: "640x640", found: text });
  }
  return { width: whole("--size", width), height: whole("--size", height) };
}

/** Names of models are lower-case; the folder may be called as it likes. */
function modelName(folder: string): string {
  const plain = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-");
  const name = plain.replace(/^[^a-z0-9]+/, "");
  return name === "" ? "model" : name;
}

function describe(report: ImportReport, out: string): string {
  const size = report.files.reduce((sum, file) => sum + file.bytes, 0);
  const { tensors, elements } = report.parameters;
  const count = (operators: Readonly<Record<string, number>>): string =>
    Object.entries(operators)
      .map(([op, n]) => `${op} ${n}`)
      .join(", ");
  const facts = [
    ["source", `${report.source} (${report.format}, ${bytes(size)})`],
    ["parameters", `${elements.toLocaleString("en-US")} in ${tensors} tensors`],
    ["Paddle's", count(report.paddleOperators)],
    ["ONNX's", `${count(report.onnxOperators)}; opset ${report.opset}`],
    ["form", report.form === null ? report.why : `${report.form}: ${report.why}`],
    ["card from", report.config ?? "nothing beside the model: look through its comments"],
  ];
  const ports = [...report.inputs.map((v) => ["input", v] as const)];
  const rows = [...ports, ...report.outputs.map((v) => ["output", v] as const)];
  return [
    facts.map(([name, value]) => `${name!.padEnd(11)}${visible(value!)}`).join("\n"),
    table(
      [{ head: "port" }, { head: "name" }, { head: "type" }, { head: "shape" }],
      rows.map(([port, v]) => [port, v.name, v.dtype, showShape(v.shape)]),
    ),
    ...report.notes.map((note) => `note: ${visible(note)}`),
    `Wrote ${out}: model.onnx, card.yaml, import.json.`,
  ].join("\n\n");
}
