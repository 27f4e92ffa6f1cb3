import type { Command } from "commander";
import { mkdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { writeAtomic } from "../../pipeline/atomic-file.js";
import { openDetector } from "../../pipeline/detection/detector.js";
import { annotate } from "../../pipeline/system/draw.js";
import { openEmbedder } from "../../pipeline/embedding/embedder.js";
import { UserError, type Complaint } from "../../pipeline/errors.js";
import { Gallery } from "../../pipeline/gallery/gallery.js";
import { decode } from "../../pipeline/image/image.js";
import { defaultSettings, Recognizer } from "../../pipeline/system/recognizer.js";
import { Stopwatch } from "../../pipeline/stopwatch.js";
import { readTruth } from "../../eval/observe/query-evidence.js";
import type { Detection, Observation, Pixels, Recognition } from "../../pipeline/types.js";
import { protocols } from "../../pipeline/protocol.js";
import { ExitCode } from "../exit-code.js";
import { finite, share, whole } from "../options.js";
import { protocolOf } from "../protocol-option.js";
import { progressBar } from "../progress.js";
import { ms, print, printJson, table, warn } from "../terminal.js";
import { withSystem, type SystemOptions } from "../system-options.js";
import type { Verb } from "../verb.js";

interface Options extends SystemOptions {
  readonly embedderFolder?: string;
  readonly detectorFolder?: string;
  readonly draw?: string;
  readonly json?: boolean;
}

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Recognise what is in pictures: detect, embed, search the gallery, threshold, suppress.",
      )
      .argument("<image...>", "picture files")
      .option("--gallery <folder>", "a gallery made with `shitu gallery build`")
      .option(
        "--system <folder>",
        "detector, embedder, gallery and thresholds together, as `shitu import` writes them",
      )
      .option(
        "--embedder <card.yaml>",
        "card of the embedding model (default: the one that built the gallery)",
      )
      .option(
        "--embedder-folder <folder>",
        "folder of its model file, where the card is kept apart from it",
      )
      .option(
        "--detector <card.yaml>",
        "card of the detection model; without it only the whole image is looked up",
      )
      .option(
        "--detector-folder <folder>",
        "folder of its model file, where the card is kept apart from it",
      )
      .option("--protocol <name>", `${protocols.join(" or ")} (default: the gallery's)`)
      .option("--k <n>", "neighbours shown a box", String(defaultSettings.k))
      .option(
        "--score-threshold <s>",
        "least inner product of a recognition",
        String(defaultSettings.scoreThreshold),
      )
      .option(
        "--hamming-radius <d>",
        "largest Hamming distance of a recognition",
        String(defaultSettings.hammingRadius),
      )
      .option(
        "--detection-threshold <s>",
        "least score of a box",
        String(defaultSettings.detectionThreshold),
      )
      .option(
        "--max-detections <n>",
        "boxes a picture, besides the whole image",
        String(defaultSettings.maxDetections),
      )
      .option(
        "--suppress-iou <r>",
        "overlap from which the lesser of two recognitions is dropped",
        String(defaultSettings.suppressIou),
      )
      .option("--no-whole-image", "do not look up the whole image as one more box")
      .option(
        "--boxes <truth.json>",
        "recognise the boxes of a truth file (as `shitu eval f1` takes it) in place of " +
          "detected ones: the counterfactual of a perfect detector",
      )
      .option("--draw <folder>", "write the pictures with boxes and labels drawn in")
      .option("--json", "machine output")
      .action(recognize);
  },
};

type Row = { readonly image: string } & (
  { readonly observation: Observation; readonly drawn?: string } | { readonly error: Complaint }
);

async function recognize(images: string[], given: Options, command: Command): Promise<void> {
  const options = await withSystem(given, command);
  if (options.boxes !== undefined && options.detector !== undefined)
    throw new UserError({
      code: "bad-option",
      message: "--boxes and --detector exclude each other",
      fix: "give one of them",
    });
  const boxes = options.boxes === undefined ? null : await truthBoxes(options.boxes);
  const gallery = await Gallery.load(options.gallery);
  const from = gallery.settings.model;
  const card = options.embedder ?? from.card;
  if (card === undefined) {
    gallery.close();
    throw new UserError({
      code: "embedder-unknown",
      message: "the gallery does not say where its model's card is",
      file: options.gallery,
      fix: "give --embedder card.yaml",
    });
  }
  const protocol = protocolOf({ protocol: options.protocol ?? gallery.settings.protocol });
  const embedderFolder =
    options.embedderFolder ?? (options.embedder === undefined ? from.folder : undefined);
  const embedder = await openEmbedder(
    card,
    embedderFolder === undefined ? {} : { modelFolder: embedderFolder },
  );
  const detector =
    options.detector === undefined
      ? null
      : await openDetector(options.detector, {
          protocol,
          ...(options.detectorFolder !== undefined && { modelFolder: options.detectorFolder }),
        });
  const rows: Row[] = [];
  const bar = progressBar("recognising");
  try {
    if (!detector && !boxes && !options.wholeImage)
      throw new UserError({
        code: "nothing-to-look-up",
        message: "--no-whole-image without --detector leaves nothing to look up",
        fix: "give --detector card.yaml",
      });
    if (!detector && !boxes) warn("no --detector given: only the whole image is looked up");
    const recognizer = new Recognizer(
      { detector: detector ?? { detect: () => Promise.resolve([]) }, embedder, gallery },
      {
        protocol,
        k: whole("--k", options.k),
        scoreThreshold: finite("--score-threshold", options.scoreThreshold),
        hammingRadius: finite("--hamming-radius", options.hammingRadius),
        detectionThreshold: finite("--detection-threshold", options.detectionThreshold),
        maxDetections: whole("--max-detections", options.maxDetections),
        suppressIou: share("--suppress-iou", options.suppressIou),
        addWholeImage: options.wholeImage,
      },
    );
    for (const [i, image] of images.entries()) {
      rows.push(await recognizeOne(recognizer, image, boxes && boxes(image), options.draw, i));
      bar.report(i + 1, images.length);
    }
  } finally {
    bar.stop();
    await embedder.close();
    await detector?.close();
    gallery.close();
  }
  if (options.json)
    printJson(
      rows.map((row) =>
        "error" in row
          ? row
          : { ...row.observation, ...(row.drawn !== undefined && { drawn: row.drawn }) },
      ),
    );
  else show(rows);
  // A picture that could not be read is the user's input; the others were still recognised.
  if (rows.some((r) => "error" in r)) process.exitCode = ExitCode.input;
}

/** The boxes of a picture by a truth file, which may name pictures without their folders. */
async function truthBoxes(file: string): Promise<(image: string) => Detection[]> {
  const truth = new Map(
    (await readTruth(file)).flatMap((t) => [
      [t.image, t],
      [basename(t.image), t],
    ]),
  );
  return (image) => {
    const shown = truth.get(image) ?? truth.get(basename(image));
    if (!shown)
      throw new UserError({
        code: "truth-missing",
        message: "the truth file does not list this picture",
        file,
        expected: `an entry for ${image}`,
        fix: "list it, with no objects if it shows none",
      });
    return [...shown.truth.map((t) => t.box), ...shown.unknown].map((box): Detection => ({
      box,
      score: 1,
      classId: 0,
    }));
  };
}

/** Given boxes are looked up as they are, without the whole image. */
async function recognizeGiven(
  recognizer: Recognizer,
  pixels: Pixels,
  image: string,
  detections: readonly Detection[],
  watch: Stopwatch,
): Promise<Observation> {
  const recognitions = await recognizer.recognizeBoxes(pixels, detections, {
    wholeImage: false,
    watch,
  });
  return {
    image,
    width: pixels.width,
    height: pixels.height,
    detections,
    recognitions,
    stageMs: { ...watch.stageMs },
    overallMs: watch.overallMs,
  };
}

async function recognizeOne(
  recognizer: Recognizer,
  image: string,
  given: readonly Detection[] | null,
  draw: string | undefined,
  place: number,
): Promise<Row> {
  try {
    const watch = new Stopwatch();
    const pixels = await watch.time("decode", () => decode(image));
    const observation = given
      ? await recognizeGiven(recognizer, pixels, image, given, watch)
      : await recognizer.recognize(pixels, image, watch);
    if (draw === undefined) return { image, observation };
    return { image, observation, drawn: await drawOne(draw, image, place, pixels, observation) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { image, error: error.complaint };
  }
}

async function drawOne(
  folder: string,
  image: string,
  place: number,
  pixels: Pixels,
  observation: Observation,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const kept = observation.recognitions.filter((r) => r.fate === "kept");
  // The place keeps two pictures of one name apart.
  const file = join(
    folder,
    `${String(place).padStart(3, "0")}-${basename(image, extname(image))}.jpg`,
  );
  await writeAtomic(
    file,
    await annotate(
      pixels,
      kept.map((r) => ({ box: r.box, label: r.label ?? "", score: r.score })),
    ),
  );
  return file;
}

function show(rows: readonly Row[]): void {
  const lines = rows.flatMap((row): (string | number | null)[][] => {
    if ("error" in row) return [[row.image, "error", row.error.message, null, null, null]];
    const kept = row.observation.recognitions.filter((r) => r.fate === "kept");
    if (kept.length === 0)
      return [
        [
          row.image,
          "nothing",
          nearest(row.observation.recognitions),
          null,
          null,
          total(row.observation),
        ],
      ];
    return kept.map((r, i) => [
      i === 0 ? row.image : "",
      r.label,
      r.score.toFixed(4),
      boxText(r),
      r.detectionScore.toFixed(3),
      i === 0 ? total(row.observation) : "",
    ]);
  });
  print(
    table(
      [
        { head: "image" },
        { head: "label" },
        { head: "score", align: "right" },
        { head: "box (px)", align: "right" },
        { head: "detection", align: "right" },
        { head: "time", align: "right" },
      ],
      lines,
    ),
  );
}

function nearest(recognitions: readonly Recognition[]): string {
  const best = recognitions.find((r) => r.label !== null);
  return best ? `nearest: ${best.label} ${best.score.toFixed(4)}` : "";
}

function boxText({ box }: Recognition): string {
  return [box.x0, box.y0, box.x1, box.y1].join(" ");
}

function total({ stageMs }: Observation): string {
  return ms(Object.values(stageMs).reduce((sum, t) => sum + t, 0));
}
