import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareTable } from "../../../src/eval/paper/paper-comparison.js";
import { summarize } from "../../../src/eval/paper/paper-summary.js";
import { readPaper } from "../../../src/eval/paper/paper-tables.js";
import { judgeRatio } from "../../../src/eval/paper/ratio-verdict.js";
import type { Cell, Finding, RecordedScore, RunRecord } from "../../../src/eval/record/record.js";
import { projectRoot } from "../../../src/pipeline/root.js";

const paper = await readPaper(join(projectRoot, "configs", "paper", "tables.yaml"));

type Completed = Extract<Cell, { state: "completed" }>;
interface Head {
  readonly kind: string;
  readonly labels: Record<string, string>;
  readonly scores: RecordedScore[];
  readonly findings?: Finding[];
}

function cell(head: Head): Completed {
  const rest = { id: JSON.stringify(head.labels), versions: {}, errors: [], notes: [] };
  return { ...head, ...rest, state: "completed" };
}

function compared(n: number, cells: readonly Completed[]) {
  const table = paper.tables.find((t) => t.table === n)!;
  return compareTable(table, [{ key: "r", record: { cells } as unknown as RunRecord }]);
}

const between = (low: number, high: number) => ({
  low,
  high,
  level: 0.95,
  method: "order statistics",
  units: 20,
});

const count = (metric: string, value: number, of?: Record<string, string>): RecordedScore => ({
  metric,
  unit: "count",
  better: "lower",
  value,
  n: 1,
  interval: null,
  ...(of && { of }),
});

const ratio = (
  first: string,
  second: string,
  value: number,
  ci: [number, number],
): RecordedScore => ({
  metric: "latency-ratio",
  unit: "ratio",
  better: "lower",
  of: { first, second },
  value,
  n: 20,
  interval: between(...ci),
});

const roundTime = (system: string, value: number): RecordedScore => ({
  metric: "round-latency",
  unit: "ms",
  better: "lower",
  of: { system },
  value,
  n: 20,
  interval: between(value * 0.9, value * 1.1),
});

const certificate = (system: string, verdict: "passed" | "failed", stage?: string): Finding => ({
  about: "noise",
  of: { system, ...(stage && { stage }) },
  verdict,
  why: "20 rounds in 1.0 s",
});

const [server, light] = ["PP-YOLO R50-vd-DCNv2", "PP-PicoDet"] as const;

interface RoundsOptions {
  readonly threads?: string;
  readonly half?: number;
  readonly findings?: Finding[];
}

/** Table 4's two detectors in the same rounds: the slower takes `times` as long. */
function rounds(times: number, { threads = "1", half = 0.5, findings }: RoundsOptions = {}) {
  const scores = [
    ratio(server, light, 1 / times, [1 / (times + half), 1 / (times - half)]),
    roundTime(server, 2000),
    roundTime(light, 2000 / times),
  ];
  return cell({
    kind: "network-latency",
    labels: { paperTable: "4", threads },
    scores,
    findings: findings ?? [certificate(server, "passed"), certificate(light, "passed")],
  });
}

const timeOf = (cells: readonly Completed[]) => compared(4, cells).cells.at(-1)![0]!;

describe("proportions of times", () => {
  it("agree where the paper's lies within the interval of rounds", () => {
    const { cells } = compared(4, [rounds(15.6)]);
    const [slow, fast] = cells.at(-1)!;
    // 466.0 / 29.8 is 15.64 by the printed digits.
    expect(slow).toMatchObject({ verdict: "ratio agrees", ratio: { against: light, n: 20 } });
    expect(slow!.ratio!.ours).toBeCloseTo(15.6);
    expect(slow!.ratio!.paper).toBeCloseTo(466 / 29.8);
    expect(slow!.ours!.value).toBe(2000);
    expect(fast).toMatchObject({ verdict: "ratio agrees", ratio: { against: server } });
    expect(fast!.ratio!.ours).toBeCloseTo(1 / 15.6);
  });

  it("differ where it does not, and say both, how and what differs", () => {
    const slow = timeOf([rounds(10)]);
    expect(slow.verdict).toBe("ratio differs");
    expect(slow.why).toContain("15.6 times as long as PP-PicoDet; here 10.0 times [9.50, 10.5]");
    expect(slow.why).toContain("20 rounds on 1 thread;");
    expect(slow.why).toContain("ONNX Runtime for Paddle");
  });

  it("take the fewest threads that there are, of what is certified before what is not", () => {
    const two = rounds(3, { threads: "8" });
    expect(timeOf([two, rounds(10)]).ratio!.ours).toBeCloseTo(10);
    const failed = [certificate(server, "passed"), certificate(light, "failed")];
    expect(timeOf([two, rounds(10, { findings: failed })]).ratio!.ours).toBeCloseTo(3);
  });

  it.each([
    ["no certificate", [certificate(light, "passed")], /no noise certificate of PP-YOLO/],
    [
      "a failed one",
      [certificate(server, "passed"), certificate(light, "failed")],
      /certificate of PP-PicoDet failed \(20 rounds/,
    ],
    ["that of a stage alone", [certificate(server, "passed", "detect")], /no noise certificate/],
    [
      "a drift",
      [
        certificate(server, "passed"),
        certificate(light, "passed"),
        {
          about: "drift",
          of: { first: server, second: light },
          verdict: "drifting",
          why: "it drifts",
        },
      ] satisfies Finding[],
      /^it drifts/,
    ],
  ])("cannot be told with %s", (_, findings, why) => {
    const slow = timeOf([rounds(15.6, { findings })]);
    expect(slow).toMatchObject({ verdict: "ratio cannot tell", ratio: { verdict: "cannot tell" } });
    expect(slow.why).toMatch(why);
    expect(summarize(compared(4, [rounds(15.6, { findings })])).compared).toBe(0);
  });

  it("cannot be told from an interval that holds too much beside the paper's", () => {
    expect(timeOf([rounds(15.6, { half: 5 })]).verdict).toBe("ratio cannot tell");
    expect(judgeRatio([0.92, 1.08], [0.99, 1.01]).verdict).toBe("agrees");
    expect(judgeRatio([0.8, 1.08], [0.99, 1.01]).verdict).toBe("cannot tell");
    expect(judgeRatio([0.8, 0.98], [0.99, 1.01]).verdict).toBe("differs");
    expect(judgeRatio([1.0101, 3], [0.99, 1.01]).verdict).toBe("differs");
    expect(judgeRatio([0.98, 1.02], [0.99, 1.01], "noise").verdict).toBe("cannot tell");
  });

  it("cannot be told from two times of one run, at their intervals' far ends", () => {
    const time = (model: string, value: number): Completed =>
      cell({
        kind: "index",
        labels: { paperTable: "7", paperModel: model },
        scores: [
          {
            metric: "retrieval-time",
            unit: "ms",
            better: "lower",
            of: { percentile: "50" },
            value,
            n: 50,
            interval: between(value - 2, value + 2),
          },
        ],
      });
    const [real] = compared(7, [time("Real-Value", 110), time("Binary", 20)]).cells;
    expect(real!.at(-1)!.ratio!.ci[0]).toBeCloseTo(108 / 22);
    expect(real!.at(-1)!.ratio!.ci[1]).toBeCloseTo(112 / 18);
    expect(real!.at(-1)!.verdict).toBe("ratio cannot tell");
    expect(real!.at(-1)!.why).toMatch(/^the two were not timed in turns/);
  });

  it("join rows by what the record's other cells call them, and stages by name", () => {
    const head = (name: string, system: string): Completed =>
      cell({ kind: "latency", labels: { paperTable: "9", paperSystem: name, system }, scores: [] });
    const stage = { stage: "detect" };
    const of = { first: "server", second: "light" };
    const turns = cell({
      kind: "latency-comparison",
      labels: { paperTable: "9", systems: "server, light", threads: "1" },
      scores: [
        ratio("server", "light", 0.5, [0.49, 0.51]),
        roundTime("server", 10),
        { ...ratio("server", "light", 0.102, [0.1, 0.104]), of: { ...of, ...stage } },
        { ...roundTime("server", 9), of: { system: "server", ...stage } },
      ],
      findings: ["server", "light"].flatMap((name) => [
        certificate(name, "passed"),
        certificate(name, "passed", "detect"),
      ]),
    });
    const { cells } = compared(9, [
      head("Server Model", "server"),
      head("PP-ShiTu", "light"),
      turns,
    ]);
    // 923 / 94 is 9.8.
    expect(cells[0]![0]).toMatchObject({ verdict: "ratio agrees", ours: { value: 9 } });
    // 1051 / 194 is 5.4.
    expect(cells[0]![3]).toMatchObject({ verdict: "ratio differs", ours: { value: 10 } });
    expect(cells[0]![2]!.verdict).toBe("not run");
  });

  it("reach into another table where a number stands alone", () => {
    const [own, other] = ["ResNet50_vd Aliproduct", "PP-LCNet-1x"];
    const turns = cell({
      kind: "network-latency",
      labels: { paperTable: "5", threads: "1" },
      scores: [ratio(other, own, 6.2, [6.1, 6.3]), roundTime(own, 100)],
      findings: [certificate(own, "passed"), certificate(other, "passed")],
    });
    const alone = compared(5, [turns]).cells[0]!.at(-1)!;
    // 15.2 / 2.46 is 6.18.
    expect(alone).toMatchObject({
      verdict: "ratio agrees",
      ratio: { against: "PP-LCNet-1x of Table 6" },
    });
  });

  it("are not drawn from what may only be shown", () => {
    const shown = rounds(15.6);
    const cells = [{ ...shown, labels: { ...shown.labels, notComparable: "small models" } }];
    expect(compared(4, cells).cells.at(-1)![0]).toMatchObject({ verdict: "not run", ratio: null });
  });
});

describe("exact numbers", () => {
  const network = (model: string, scores: RecordedScore[]): Completed =>
    cell({ kind: "network", labels: { paperTable: "6", paperModel: model }, scores });
  const paddle = { definition: "paddle" };

  it("agree rounded or cut, by Paddle's definition", () => {
    const { cells } = compared(6, [
      network("MobileNetV2-1x", [
        count("params", 3505960),
        count("params", 3540136, paddle),
        count("macs", 313619328),
        count("macs", 327842368, paddle),
      ]),
    ]);
    const [params, flops] = cells.find((row) => row[0]!.row === "MobileNetV2-1x")!;
    expect(params).toMatchObject({ verdict: "agrees", why: null, ours: { value: 3540136 } });
    expect(flops).toMatchObject({ verdict: "agrees", ours: { value: 327842368 } });
    expect(flops!.why).toContain("cuts");
  });

  it("are only shown where batch norms are folded away", () => {
    const { cells } = compared(6, [network("MobileNetV2-1x", [count("macs", 300774272)])]);
    const flops = cells.find((row) => row[0]!.row === "MobileNetV2-1x")![1]!;
    expect(flops).toMatchObject({ verdict: "not comparable", ours: { value: 300774272 } });
  });

  it("differ with the reason where it is known", () => {
    const size: RecordedScore = { ...count("model-size", 219164815), unit: "bytes" };
    const own = cell({
      kind: "network",
      labels: { paperTable: "3", paperModel: "PP-YOLOv2" },
      scores: [size],
    });
    const result = compared(3, [own]);
    expect(result.cells[0]!.at(-1)).toMatchObject({ verdict: "differs" });
    expect(result.cells[0]!.at(-1)!.why).toContain("54.7 M parameters");
    expect(summarize(result)).toMatchObject({ measured: 1, compared: 1 });
  });
});
