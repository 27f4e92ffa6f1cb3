import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { writeAtomic } from "../../pipeline/atomic-file.js";
import { draftCard, formOf } from "../../pipeline/model/card-draft.js";
import { isBaseline, loadCard, modelFileOf, type Card } from "../../pipeline/model/card.js";
import { UserError } from "../../pipeline/errors.js";
import { openSession } from "../../pipeline/onnx/session.js";
import { checkCard } from "../../pipeline/model/model.js";
import { inspectOnnx, type Inspection, type Port } from "../../pipeline/onnx/inspect.js";
import { showShape } from "../../pipeline/forms/detector-form.js";
import { detectorForms, formLabel, type FormExplanation } from "../../pipeline/forms/forms.js";
import { bytes, colour, print, printJson, table, visible } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  card?: string;
  modelFolder?: string;
  writeCard?: string;
  shape: string[];
  json?: boolean;
}

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Say what an ONNX model is: inputs, outputs, parameters, FLOPs, PicoDet's export " +
          "form; check a card against it, or draft one.",
      )
      .argument("[model.onnx]", "the model; may be left out where --card names it")
      .option("--card <card.yaml>", "check this card against the model; exit code 2 where it lies")
      .option(
        "--model-folder <folder>",
        "folder of the model file, where the card is kept apart from it",
      )
      .option(
        "--write-card <card.yaml>",
        "write a card to start from; never over a file that is there",
      )
      .option(
        "--shape <input=1,3,224,224>",
        "size of an input that the model leaves open; may be repeated",
        (shape: string, before: readonly string[]) => [...before, shape],
        [],
      )
      .option("--json", "machine output")
      .action(inspect);
  },
};

async function inspect(given: string | undefined, options: Options): Promise<void> {
  const card = options.card === undefined ? null : await modelCard(options.card);
  const file =
    given ??
    (card && options.card !== undefined
      ? modelFileOf(card, options.card, options.modelFolder)
      : undefined);
  if (file === undefined)
    throw new UserError({
      code: "bad-option",
      message: "no model is named",
      fix: "give a model file, or --card card.yaml",
    });
  const inspection = await inspectOnnx(file, {
    shapes: shapesOf(options.shape),
    ...(card && { picture: card.input }),
  });
  const form = formOf(inspection);
  // The picture of the model is worth having also where its card lies: shown first, thrown then.
  const lie =
    card && options.card !== undefined
      ? await agree(card, options.card, file).then(
          () => null,
          (error: unknown) => error,
        )
      : null;
  if (options.json)
    printJson({
      ...inspection,
      form,
      ...(card && { card: { file: options.card, agrees: lie === null } }),
    });
  else print(describe(inspection, form));
  if (lie !== null) throw lie;
  if (!options.json && card) print(`\nThe card ${options.card} agrees with the model.`);
  if (options.writeCard !== undefined) {
    await writeDraft(inspection, file, options.writeCard);
    if (!options.json) print(`\nWrote ${options.writeCard}: look through its comments.`);
  }
}

/** The card and the model agree, and what runs models can load this one. */
async function agree(card: Card, cardFile: string, file: string): Promise<void> {
  const { model } = await checkCard(card, cardFile, file);
  await (await openSession(model.bytes, file)).release();
}

async function modelCard(file: string): Promise<Card> {
  const card = await loadCard(file);
  if (!isBaseline(card)) return card;
  throw new UserError({
    code: "card-mismatch",
    message: "a baseline has no model file",
    file,
    path: "baseline",
    found: card.baseline,
    fix: "give the card of a model",
  });
}

/** NAME=1,3,224,224 */
function shapesOf(given: readonly string[]): Record<string, number[]> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, list] = /^(.+)=([\d,]+)$/.exec(text) ?? [];
      const dims = (list ?? "").split(",").map(Number);
      if (name === undefined || dims.some((d) => !Number.isSafeInteger(d) || d < 1)) {
        throw new UserError({
          code: "bad-option",
          message: "--shape takes a name and sizes",
          expected: "image=1,3,224,224",
          found: text,
        });
      }
      return [name, dims];
    }),
  );
}

async function writeDraft(inspection: Inspection, model: string, file: string): Promise<void> {
  if (existsSync(file))
    throw new UserError({
      code: "file-exists",
      message: "a card is there already",
      file,
      fix: "give another name, or move it away",
    });
  await writeAtomic(file, draftCard(inspection, relative(dirname(resolve(file)), resolve(model))));
}

function describe(i: Inspection, form: FormExplanation): string {
  const millions = (n: number): string => `${(n / 1e6).toPrecision(4)} M`;
  const whole = (n: number): string => n.toLocaleString("en-US");
  const { work } = i;
  const opsets = i.opsets.map((o) => (o.domain === "" ? o.version : `${o.domain} ${o.version}`));
  const integers =
    i.integerParameters > 0 ? `, ${whole(i.integerParameters)} of them integers` : "";
  const facts: [string, string][] = [
    ["file", i.file],
    ["size", `${bytes(i.bytes)} (${whole(i.bytes)} bytes)`],
    ["sha256", i.sha256],
    ["made by", `${i.producer || "unknown"}; opset ${opsets.join(", ")}; IR ${i.irVersion}`],
    [
      "parameters",
      `${whole(i.parameters)} (${millions(i.parameters)})${integers}; ` +
        `all constants ${whole(i.constantElements)}`,
    ],
    [
      "quantised",
      i.quantisation === null
        ? "no"
        : i.quantisation === "qdq"
          ? "yes: quantise and dequantise around float operators (QDQ)"
          : "yes: integer operators",
    ],
    [
      "FLOPs",
      work.macs === null
        ? `unknown: ${work.why}`
        : `${millions(work.macsPerImage)} multiply-accumulates an image ` +
          `(${millions(2 * work.macsPerImage)} operations)`,
    ],
    [
      "nodes",
      `${whole(i.nodes)}: ${Object.entries(i.operators)
        .map(([op, n]) => `${op} ${n}`)
        .join(", ")}`,
    ],
  ];
  const parts = [
    facts.map(([name, value]) => `${colour.bold(name.padEnd(11))}${visible(value)}`).join("\n"),
    ports("input", i.inputs, null),
    ports("output", i.outputs, i.tracedOutputs),
    explain(form),
  ];
  if (work.macs !== null && work.uncounted.length > 0)
    parts.push(["Not in the FLOPs:", ...work.uncounted.map((u) => `  - ${visible(u)}`)].join("\n"));
  return parts.join("\n\n");
}

function ports(what: string, list: readonly Port[], traced: readonly Port[] | null): string {
  return table(
    [
      { head: what },
      { head: "type" },
      { head: "shape" },
      ...(traced ? [{ head: "in a run" }] : []),
    ],
    list.map((p, n) => [
      p.name,
      p.dtype ?? "no tensor",
      showShape(p.shape),
      ...(traced ? [showShape(traced[n]?.shape ?? null)] : []),
    ]),
  );
}

function explain({ form, why, warnings }: FormExplanation): string {
  const head =
    form === null
      ? `export form: none of ${detectorForms.map(({ name }) => name).join(", ")}`
      : `export form: ${formLabel(form)}`;
  return [
    colour.bold(head),
    ...why.map((w) => `  because ${visible(w)}`),
    ...warnings.map((w) => `  ${colour.yellow("note:")} ${visible(w)}`),
  ].join("\n");
}
