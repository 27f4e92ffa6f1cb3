import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { example } from "../eval/metrics/end-to-end/f1-cases.js";
import { shitu, type Outcome } from "./shitu.js";

// Processes are started, maybe on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), "eval-f1-"));
const path = (name: string): string => join(folder, name);
// The pictures that f1.test.ts works out by hand, four times over, so that both halves hold each
// kind.
const pictures = [1, 2, 3, 4].flatMap((copy) =>
  example.map((e) => ({ ...e, image: `${e.image}-${copy}` })),
);
const corners = ({
  x0,
  y0,
  x1,
  y1,
}: (typeof example)[number]["truth"][number]["box"]): number[] => [x0, y0, x1, y1];

beforeAll(() => {
  writeFileSync(
    path("truth.json"),
    JSON.stringify({
      images: pictures.map((p) => ({
        image: p.image,
        objects: p.truth.map((t) => ({ label: t.label, box: corners(t.box) })),
      })),
    }),
  );
  const observations = pictures.map((p) => ({
    image: p.image,
    width: 1000,
    height: 1000,
    detections: p.recognitions.map(({ box }) => ({ box, score: 0.5, classId: 0 })),
    recognitions: p.recognitions.map((r) => ({
      ...r,
      detectionScore: 0.5,
      fate: "kept",
      hits: [],
    })),
    stageMs: {},
    overallMs: 1,
  }));
  writeFileSync(path("observations.json"), JSON.stringify(observations));
  writeFileSync(path("some.json"), JSON.stringify(observations.slice(1)));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const evalF1 = (...more: string[]): Promise<Outcome> =>
  shitu([
    "eval",
    "f1",
    "--truth",
    path("truth.json"),
    "--observations",
    path("observations.json"),
    ...more,
  ]);

describe("shitu eval f1", () => {
  it("prints the hand-worked F1 of all four definitions at a threshold", async () => {
    const { code, stdout } = await evalF1(
      "--json",
      "--threshold",
      "0.5",
      "--exact-index",
      "--quirks",
      "--resamples",
      "200",
    );
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as {
      quirks: { metric: string; standard: number; deltas: { quirk: string; delta: number }[] }[];
      definitions: {
        definition: string;
        atThreshold: { point: { f1: number }; f1: { n: number } };
      }[];
      cropRecall: { k: number; value: number }[];
      counts: object;
      curves: Record<string, unknown[]>;
      waterfall: { threshold: number; counts: object };
      openSet: { unit: string; distractors: number }[];
    };
    expect(result.definitions.map((d) => [d.definition, d.atThreshold.point.f1])).toEqual([
      ["A", 0.5],
      ["B", 6 / 11],
      ["C", 4 / 11],
      ["D", expect.closeTo(1.3 / 3, 12)],
    ]);
    expect(result.definitions[0]!.atThreshold.f1.n).toBe(20);
    expect(result.cropRecall.map((c) => [c.k, c.value])).toEqual([
      [1, 0.5],
      [2, 0.75],
      [3, 0.75],
      [5, 0.75],
    ]);
    expect(result.counts).toMatchObject({
      images: 20,
      distractorImages: 4,
      objects: 20,
      labels: 3,
      crops: 28,
    });
    expect(result.curves.A).toHaveLength(7);
    // two: both correct; astray: correct by label; covered: suppressed; blank: missed.
    expect(result.waterfall).toMatchObject({
      threshold: 0.5,
      counts: {
        missed: 4,
        "wrong-crop": 0,
        embedding: 0,
        index: 0,
        threshold: 0,
        suppressed: 4,
        correct: 12,
      },
    });
    expect(result.openSet.map((o) => o.distractors)).toEqual([4, 4]);
    // High is better here, so that the order of suppression is no quirk; no two scores are equal.
    expect(result.quirks.map((q) => [q.metric, q.standard])).toEqual([
      ["F1 A", 0.5],
      ["F1 B", 6 / 11],
      ["F1 C", 4 / 11],
      ["F1 D", expect.closeTo(1.3 / 3, 12)],
      ["crop-recall@1", 0.5],
      ["crop-recall@2", 0.75],
      ["crop-recall@3", 0.75],
      ["crop-recall@5", 0.75],
    ]);
    for (const { deltas } of result.quirks)
      expect(deltas).toEqual([
        { quirk: "last of equals", delta: 0 },
        { quirk: "all of them", delta: 0 },
      ]);
  });

  it("is the same for the same seed, and prints for people", async () => {
    const [one, two] = await Promise.all([evalF1("--exact-index"), evalF1("--exact-index")]);
    expect(one.code).toBe(0);
    expect(one.stdout).toBe(two.stdout);
    for (const words of [
      "20 pictures (4 without gallery objects)",
      "image top-1, micro",
      "crop-recall@k",
      "Where objects are lost",
      "no suppression",
      "false accepts at most",
    ])
      expect(one.stdout).toContain(words);
  });

  it(
    "takes exact neighbours from a second run of the " + "same crops, and refuses another run's",
    async () => {
      const exact = JSON.parse(readFileSync(path("observations.json"), "utf8")) as {
        recognitions: { label: string; box: { x1: number } }[];
      }[];
      // covered-1: the exact neighbour of the first crop is right
      exact[2]!.recognitions[0]!.label = "milk";
      writeFileSync(path("exact.json"), JSON.stringify(exact));
      const { code, stdout } = await evalF1(
        "--json",
        "--threshold",
        "0.5",
        "--exact",
        path("exact.json"),
        "--resamples",
        "50",
      );
      expect(code).toBe(0);
      const { waterfall } = JSON.parse(stdout) as {
        waterfall: { counterfactuals: { name: string; recall: { value: number } }[] };
      };
      expect(
        waterfall.counterfactuals.find((c) => c.name === "exact index")!.recall.value,
      ).toBeCloseTo(13 / 20, 12);
      exact[2]!.recognitions[0]!.box.x1 = 77;
      writeFileSync(path("other.json"), JSON.stringify(exact));
      const refused = await evalF1("--threshold", "0.5", "--exact", path("other.json"));
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain("has other crops than --observations");
    },
  );

  it("follows objects to a box, and tells what perfect boxes would gain", async () => {
    // The truth boxes as crops: all right but blank's, which the embedding loses, and covered's,
    // which is right by the exact index only.
    const oracle = pictures.map((p) => ({
      image: p.image,
      width: 1000,
      height: 1000,
      detections: [],
      recognitions: p.truth.map(({ box, label }) => ({
        box,
        label: /blank|covered/.test(p.image) ? "other" : label,
        score: 0.9,
      })),
    }));
    writeFileSync(path("oracle.json"), JSON.stringify(oracle));
    writeFileSync(
      path("oracle-exact.json"),
      JSON.stringify(
        oracle.map((o, i) =>
          /covered/.test(o.image)
            ? {
                ...o,
                recognitions: o.recognitions.map((r) => ({
                  ...r,
                  label: pictures[i]!.truth[0]!.label,
                })),
              }
            : o,
        ),
      ),
    );
    const { code, stdout } = await evalF1(
      "--json",
      "--threshold",
      "0.5",
      "--success",
      "box",
      "--exact",
      path("observations.json"),
      "--oracle",
      path("oracle.json"),
      "--oracle-exact",
      path("oracle-exact.json"),
      "--resamples",
      "50",
    );
    expect(code).toBe(0);
    const { waterfall } = JSON.parse(stdout) as {
      waterfall: {
        counts: Record<string, number>;
        counterfactuals: { name: string; recall: { value: number } }[];
      };
    };
    // two: both correct; astray: its answer is elsewhere, so missed; covered: suppressed; blank:
    // missed.
    expect(waterfall.counts).toEqual({
      missed: 8,
      "wrong-crop": 0,
      embedding: 0,
      index: 0,
      threshold: 0,
      suppressed: 4,
      correct: 8,
    });
    const recall = Object.fromEntries(
      waterfall.counterfactuals.map((c) => [c.name, c.recall.value]),
    );
    expect(recall["oracle boxes"]).toBeCloseTo(12 / 20, 12);
    expect(recall["oracle boxes and exact index"]).toBeCloseTo(16 / 20, 12);
    const other = JSON.parse(readFileSync(path("oracle.json"), "utf8")) as {
      recognitions: { box: { x1: number } }[];
    }[];
    other[0]!.recognitions[0]!.box.x1 = 77;
    writeFileSync(path("other-oracle.json"), JSON.stringify(other));
    const refused = await evalF1("--oracle", path("other-oracle.json"));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("lacks the box of an object");
  });

  it("gives the waterfall as far as the inputs allow, and says what is lacking", async () => {
    const { stdout } = await evalF1("--json", "--threshold", "0.5", "--resamples", "20");
    type Known = { value: number | null; why?: string };
    const { waterfall } = JSON.parse(stdout) as {
      waterfall: {
        shares: Record<string, Known>;
        counterfactuals: { name: string; recall: Known }[];
      };
    };
    expect(waterfall.shares.missed!.value).toBe(0.2);
    expect(waterfall.shares.index).toMatchObject({
      value: null,
      why: expect.stringContaining("--exact") as string,
    });
    const lacking = waterfall.counterfactuals
      .filter((c) => c.recall.value === null)
      .map((c) => c.name);
    expect(lacking).toEqual(["oracle boxes", "exact index", "oracle boxes and exact index"]);
    const people = await evalF1("--threshold", "0.5", "--resamples", "20");
    for (const why of [
      "-: no exact neighbours were given",
      "-: the truth boxes were not run as crops (first: two-1)",
    ])
      expect(people.stdout).toContain(why);
  });

  it.each(["json", "arrow"])("writes its evidence as %s, and scores that alike", async (ending) => {
    const file = path(`evidence.${ending}`);
    const written = await evalF1(
      "--json",
      "--threshold",
      "0.5",
      "--exact-index",
      "--resamples",
      "20",
      "--write-evidence",
      file,
    );
    expect(written.code).toBe(0);
    const read = await shitu([
      "eval",
      "f1",
      "--evidence",
      file,
      "--json",
      "--threshold",
      "0.5",
      "--resamples",
      "20",
    ]);
    expect(read.stderr).toBe("");
    expect(JSON.parse(read.stdout)).toEqual(JSON.parse(written.stdout));
    const both = await shitu(["eval", "f1", "--evidence", file, "--truth", path("truth.json")]);
    expect(both.code).toBe(2);
    expect(both.stderr).toContain("--evidence and --truth exclude each other");
  });

  it("writes the curves", async () => {
    expect((await evalF1("--curves", path("curves.json"), "--resamples", "20")).code).toBe(0);
    const curves = JSON.parse(readFileSync(path("curves.json"), "utf8")) as {
      schema: number;
      f1: Record<string, { threshold: number }[]>;
      openSet: Record<string, unknown[]>;
    };
    expect(curves.schema).toBe(1);
    expect(curves.f1.B!.map((p) => p.threshold)).toEqual([0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55]);
    expect(Object.keys(curves.openSet)).toEqual(["picture", "crop"]);
  });

  it.each([
    [["--better", "up"], /higher, lower/],
    [["--suppress-iou", "2"], /from 0 to below 1/],
    [["--far", "0.1,x"], /--far takes a number/],
    [["--exact-index", "--exact", "x.json"], /exclude each other/],
    [["--oracle-exact", "x.json"], /--oracle-exact needs --oracle/],
    [["--write-evidence", "x.csv"], /ending in .json or .arrow/],
    [["--success", "luck"], /label, box/],
    [["--unknown-label", "toy"], /no object is labelled "toy"/],
  ] as [string[], RegExp][])("refuses %j with exit code 2", async (args, message) => {
    const { code, stderr } = await evalF1(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it("pictures without an observation: refused, or counted as missed and named", async () => {
    const args = [
      "eval",
      "f1",
      "--truth",
      path("truth.json"),
      "--observations",
      path("some.json"),
      "--resamples",
      "20",
    ];
    const refused = await shitu(args);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("1 of 20 pictures were not observed");
    const allowed = await shitu([...args, "--allow-missing"]);
    expect(allowed.code).toBe(0);
    expect(allowed.stderr).toContain("two-1: not observed; its objects count as missed");
  });
});
