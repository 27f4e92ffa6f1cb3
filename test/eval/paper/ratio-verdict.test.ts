import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareTable, summarize } from "../../../src/eval/paper/paper-comparison.js";
import { readPaper } from "../../../src/eval/paper/paper-tables.js";
import type { Cell, RecordedScore, RunRecord } from "../../../src/eval/record/record.js";
import { projectRoot } from "../../../src/pipeline/root.js";

const paper = await readPaper(join(projectRoot, "configs", "paper", "tables.yaml"));

type Completed = Extract<Cell, { state: "completed" }>;
interface Head {
  readonly kind: string;
  readonly labels: Record<string, string>;
  readonly scores: RecordedScore[];
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

/** Table 4's two detectors in the same rounds: the slower takes `times` as long. */
function rounds(times: number, threads = "1"): Completed {
  const [server, light] = ["PP-YOLO R50-vd-DCNv2", "PP-PicoDet"];
  const scores = [
    ratio(server, light, 1 / times, [1 / (times + 0.5), 1 / (times - 0.5)]),
    roundTime(server, 2000),
    roundTime(light, 2000 / times),
  ];
  return cell({ kind: "network-latency", labels: { paperTable: "4", threads }, scores });
}

describe("proportions of times", () => {
  it("agree where the paper's lies within the interval of rounds", () => {
    const { cells } = compared(4, [rounds(15.6)]);
    const [server, light] = cells.at(-1)!;
    // 466.0 / 29.8 is 15.64 by the printed digits.
    expect(server).toMatchObject({
      verdict: "ratio agrees",
      ratio: { against: "PP-PicoDet", n: 20 },
    });
    expect(server!.ratio!.ours).toBeCloseTo(15.6);
    expect(server!.ratio!.paper).toBeCloseTo(466 / 29.8);
    expect(server!.ours!.value).toBe(2000);
    expect(light).toMatchObject({
      verdict: "ratio agrees",
      ratio: { against: "PP-YOLO R50-vd-DCNv2" },
    });
    expect(light!.ratio!.ours).toBeCloseTo(1 / 15.6);
  });

  it("differ where it does not, and say both, how and what differs", () => {
    const [server] = compared(4, [rounds(10)]).cells.at(-1)!;
    expect(server!.verdict).toBe("ratio differs");
    expect(server!.why).toContain("15.6 times as long as PP-PicoDet; here 10.0 times [9.50, 10.5]");
    expect(server!.why).toContain("20 rounds on 1 threads");
    expect(server!.why).toContain("ONNX Runtime for Paddle");
  });

  it("take the fewest threads that there are", () => {
    const [server] = compared(4, [rounds(3, "8"), rounds(10, "1")]).cells.at(-1)!;
    expect(server!.ratio!.ours).toBeCloseTo(10);
  });

  it("come from two times of one run where no rounds are, at their intervals' far ends", () => {
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
    const [real, binary] = compared(7, [time("Real-Value", 110), time("Binary", 20)]).cells;
    expect(real!.at(-1)!.ratio!.ci[0]).toBeCloseTo(108 / 22);
    expect(real!.at(-1)!.ratio!.ci[1]).toBeCloseTo(112 / 18);
    expect([real!.at(-1)!.verdict, binary!.at(-1)!.verdict]).toEqual([
      "ratio agrees",
      "ratio agrees",
    ]);
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
