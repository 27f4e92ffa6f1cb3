import type { Interval } from "../../src/eval/types.js";
import { constants } from "node:buffer";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/pipeline/root.js";
import { oneImage } from "../eval/metrics/coco/coco-cases.js";
import { type Outcome, shitu, shituProcess } from "./shitu.js";

const folder = mkdtempSync(join(tmpdir(), "eval-coco-"));
const path = (name: string): string => join(folder, name);
// Worked out by hand in test/eval/metrics/coco.test.ts.
const { detections, ...truth } = oneImage(
  [
    [1, [0, 0, 10, 10]],
    [1, [20, 0, 10, 10]],
  ],
  [
    [1, [0, 0, 10, 10], 0.9],
    [1, [500, 500, 10, 10], 0.8],
    [1, [20, 0, 10, 6], 0.7],
  ],
);
const write = (name: string, value: unknown): void => {
  writeFileSync(path(name), JSON.stringify(value));
};

beforeAll(() => {
  write("gt.json", truth);
  write("dt.json", detections);
  write("four.json", {
    ...truth,
    images: [1, 2, 3, 4].map((id) => ({ id })),
    annotations: [1, 2, 3, 4].flatMap((i) =>
      truth.annotations.map((a) => ({ ...a, id: 10 * i + a.id, image_id: i })),
    ),
  });
  write(
    "four-dt.json",
    [1, 2, 3, 4].flatMap((i) => detections.slice(i % 2).map((d) => ({ ...d, image_id: i }))),
  );
  write("id-zero.json", {
    ...truth,
    annotations: truth.annotations.map((a) => ({ ...a, id: a.id - 1 })),
  });
  write("stray.json", [...detections, { ...detections[0], image_id: 99 }]);
  write("negative.json", [{ ...detections[0], bbox: [1, 1, -1, 1] }]);
  mkdirSync(path("voc"));
  writeFileSync(
    path("voc/scene.xml"),
    "<annotation><object><name>cup</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>10</xmax>" +
      "<ymax>10</ymax></bndbox></object></annotation>",
  );
  write("voc.json", [{ image_id: "scene", category_id: 1, bbox: [0, 0, 10, 10], score: 1 }]);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const evalCoco = (truthFile: string, detectionFile: string, ...more: string[]): Promise<Outcome> =>
  shitu(["eval", "coco", "--truth", path(truthFile), "--detections", path(detectionFile), ...more]);

interface Printed {
  readonly counts: object;
  readonly parameters: { readonly maxDets: number[]; readonly areas: { name: string }[] };
  readonly scores: {
    readonly metric: string;
    readonly value: number | null;
    readonly unit: string;
    readonly n?: number;
    readonly why?: string;
  }[];
  readonly categories?: { readonly name: string; readonly ap: { value: number } }[];
  readonly errors?: {
    readonly types: {
      readonly type: string;
      readonly count: number;
      readonly deltaAp: { value: number };
    }[];
  };
  readonly notes: { readonly code: string; readonly file: string }[];
}
const printed = ({ stdout }: Outcome): Printed => JSON.parse(stdout) as Printed;

const ap = (3 * ((51 + 50 * (2 / 3)) / 101) + 7 * (51 / 101)) / 10;

describe("shitu eval coco", () => {
  it("prints the hand-worked numbers, raw, with categories and errors", async () => {
    const outcome = await evalCoco("gt.json", "dt.json", "--json", "--classes", "--errors");
    expect([outcome.code, outcome.stderr]).toEqual([0, ""]);
    const result = printed(outcome);
    expect(result.counts).toEqual({
      images: 1,
      categories: 1,
      truths: 2,
      crowds: 0,
      detections: 3,
    });
    expect(result.scores).toHaveLength(12);
    expect(result.scores[0]).toMatchObject({
      metric: "AP",
      unit: "ratio",
      n: 2,
      value: expect.closeTo(ap, 12) as number,
    });
    expect(result.scores[4]).toMatchObject({
      metric: "AP-medium",
      value: null,
      why: expect.stringContaining("no true box") as string,
    });
    expect(result.categories).toMatchObject([
      { name: "class 1", ap: { value: result.scores[0]!.value } },
    ]);
    expect(result.errors!.types.filter((t) => t.count > 0).map((t) => t.type)).toEqual([
      "background",
    ]);
  });

  it("prints tables for people, and writes curves", async () => {
    const outcome = await evalCoco(
      "gt.json",
      "dt.json",
      "--classes",
      "--errors",
      "--curves",
      path("curves.json"),
    );
    expect(outcome.code).toBe(0);
    for (const words of [
      "1 image, 2 true boxes, 3 detections, 1 category",
      ap.toFixed(4),
      "AR@100",
      "class 1",
      "localisation",
      "0.50:0.95",
    ])
      expect(outcome.stdout).toContain(words);
    expect(
      (JSON.parse(readFileSync(path("curves.json"), "utf8")) as { curves: unknown[] }).curves,
    ).toHaveLength(10);
  });

  it("takes other thresholds, limits and areas", async () => {
    const { scores, parameters } = printed(
      await evalCoco(
        "gt.json",
        "dt.json",
        "--json",
        "--iou",
        "0.5,0.75",
        "--max-dets",
        "2,3",
        "--areas",
        "tiny:0:50,rest:50:inf",
        "--agnostic",
      ),
    );
    expect(scores.map((s) => s.metric)).toEqual([
      "AP",
      "AP50",
      "AP75",
      "AP-tiny",
      "AP-rest",
      "AR@2",
      "AR@3",
      "AR-tiny",
      "AR-rest",
    ]);
    expect(scores[0]!.value).toBeCloseTo(((51 + 50 * (2 / 3)) / 101 + 51 / 101) / 2, 12);
    expect(parameters).toMatchObject({
      maxDets: [2, 3],
      areas: [{ name: "all" }, { name: "tiny" }, { name: "rest" }],
    });
  });

  it("draws images again for intervals, the same each time", async () => {
    const [one, two, people, few] = await Promise.all([
      ...[1, 2].map(() => evalCoco("four.json", "four-dt.json", "--json", "--intervals", "200")),
      evalCoco("four.json", "four-dt.json", "--intervals"),
      evalCoco("four.json", "four-dt.json", "--intervals", "5"),
    ]);
    const [score] = printed(one!).scores as unknown as [{ value: number; interval: Interval }];
    expect(score.interval.low).toBeLessThan(score.value);
    expect(score.interval.high).toBeGreaterThan(score.value);
    expect(score.interval).toMatchObject({
      level: 0.95,
      method: "bootstrap-standard-error",
      units: 4,
    });
    expect(two!.stdout).toBe(one!.stdout);
    expect(people!.stdout).toContain("95% interval");
    expect([few!.code, few!.stderr]).toEqual([
      2,
      expect.stringContaining("--intervals: not a number of resamples"),
    ]);
  });

  it("counts annotation id 0, and not as pycocotools unless asked to", async () => {
    const [right, alike] = await Promise.all([
      evalCoco("id-zero.json", "dt.json", "--json"),
      evalCoco("id-zero.json", "dt.json", "--json", "--pycocotools-id-zero"),
    ]);
    expect([printed(right).scores[0]!.value, printed(right).notes.map((n) => n.code)]).toEqual([
      expect.closeTo(ap, 12),
      ["area-missing", "id-zero"],
    ]);
    // The first detection then finds nothing; the second object is found in third place at three
    // thresholds of ten.
    expect([printed(alike).scores[0]!.value, printed(alike).notes.map((n) => n.code)]).toEqual([
      expect.closeTo((3 * 51 * (1 / 3)) / 101 / 10, 12),
      ["area-missing"],
    ]);
  });

  it("reads a folder of VOC annotations", async () => {
    const { scores, counts } = printed(await evalCoco("voc", "voc.json", "--json"));
    expect([scores[0]!.value, counts]).toEqual([
      expect.closeTo(1, 12),
      { images: 1, categories: 1, truths: 1, crowds: 0, detections: 1 },
    ]);
  });

  it("refuses bad input with exit code 2, naming file and record", async () => {
    const [stray, skipped, negative, option, area, missing, none] = await Promise.all([
      evalCoco("gt.json", "stray.json", "--json"),
      evalCoco("gt.json", "stray.json", "--skip-unknown"),
      evalCoco("gt.json", "negative.json"),
      evalCoco("gt.json", "dt.json", "--iou", "high"),
      evalCoco("gt.json", "dt.json", "--areas", "small:1"),
      evalCoco("none.json", "dt.json"),
      shitu(["eval", "coco"]),
    ]);
    expect([stray!.code, JSON.parse(stray!.stderr)]).toMatchObject([
      2,
      {
        error: {
          code: "unknown-image",
          file: path("stray.json"),
          path: "[3].image_id",
          found: "99",
        },
      },
    ]);
    expect([skipped!.code, skipped!.stderr]).toEqual([
      0,
      expect.stringContaining(
        "1 detections on images that the truth does not list, left out (first: [3].image_id)",
      ),
    ]);
    expect([negative!.code, negative!.stderr]).toEqual([
      2,
      expect.stringContaining("negative.json: [0].bbox: a box of negative size"),
    ]);
    expect([option!.code, option!.stderr]).toEqual([
      2,
      expect.stringContaining("--iou: not a number"),
    ]);
    expect([area!.code, area!.stderr]).toEqual([
      2,
      expect.stringContaining("--areas: not an area range"),
    ]);
    expect([missing!.code, missing!.stderr]).toEqual([2, expect.stringContaining("no such file")]);
    expect([none!.code, none!.stderr]).toEqual([2, expect.stringContaining("--truth")]);
  });

  it(
    "reads a truth file larger than the longest string through a window: 545 MB in less " +
      "than 400 MB",
    async () => {
      const file = path("huge.json");
      const { annotations, ...rest } = truth;
      const outline = Buffer.from("12.5,".repeat(200_000));
      const handle = openSync(file, "w");
      try {
        writeSync(
          handle,
          JSON.stringify(rest).replace(
            /}$/,
            `,"annotations":[${annotations
              .map((a) => JSON.stringify(a))
              .join(",")
              .replace(/}$/, ',"segmentation":[[')}`,
          ),
        );
        for (let i = 0; i < 545; i++) writeSync(handle, outline);
        writeSync(handle, "1]]}]}");
      } finally {
        closeSync(handle);
      }
      expect(statSync(file).size).toBeGreaterThan(constants.MAX_STRING_LENGTH);
      const usage = [
        "--import",
        join(projectRoot, "bench", "report-usage.mjs"),
        join(projectRoot, "bin", "shitu.mjs"),
      ];
      const { status, stdout, output } = spawnSync(
        process.execPath,
        [...usage, "eval", "coco", "--truth", file, "--detections", path("dt.json"), "--json"],
        { encoding: "utf8", stdio: ["ignore", "pipe", "pipe", "pipe"] },
      );
      rmSync(file);
      expect(status).toBe(0);
      expect((JSON.parse(stdout) as Printed).scores[0]!.value).toBeCloseTo(ap, 12);
      expect((JSON.parse(output[3] as string) as { peakKiB: number }).peakKiB).toBeLessThan(
        400 * 1024,
      );
    },
    120_000,
  );

  it("starts without the pipeline, YAML or XML", async () => {
    const outcome = await shituProcess(
      ["eval", "coco", "--truth", path("gt.json"), "--detections", path("dt.json")],
      { env: { NODE_DEBUG: "esm" } },
    );
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toMatch(/coco-matching/);
    expect(outcome.stderr).not.toMatch(
      /onnxruntime|sharp|packages\/(yaml|fast-xml-parser|zod)\.js/,
    );
  });
});
