import type { Cell, RecordedScore, RunRecord } from "../eval/record/record.js";
import { plainLabels } from "../eval/record/paper-labels.js";
import { bytes, colour, ms, table, visible } from "./terminal.js";

/** What a latency cell has beyond the times of its stages. */
const scenarios = [
  "single-stream-latency",
  "throughput",
  "server-rate",
  "cold-start",
  "peak-memory",
];

/** The scores that a kind is known by; `all` shows the rest, too. */
const headline: Readonly<Record<string, readonly string[]>> = {
  detection: ["AP", "AP50", "AP75", "AR@100", "model-size", "latency detect 50"],
  retrieval: ["recall@1", "recall@5", "mAP", "index-size", "retrieval-time 50"],
  pipeline: [
    "F1 A held-out",
    "F1 B held-out",
    "F1 C held-out",
    "F1 D held-out",
    "crop-recall@1",
    "objects correct",
  ],
  "latency-comparison": [], // its notes say all; the numbers come with `all`
  classification: ["top-1", "top-5", "params", "macs", "latency classify 50"],
};

export interface TextOptions {
  /** Every score, not only those that a kind is known by. */
  readonly all?: boolean;
}

/** A record as text: a table a kind of measurement, then failures, error rows and notes by name. */
export function recordText(record: RunRecord, { all = false }: TextOptions = {}): string {
  const kinds = [...new Set(record.cells.map((c) => c.kind))];
  const shown = kinds.filter((kind) => all || headline[kind]?.length !== 0);
  const parts = shown.map(
    (kind) =>
      `${colour.bold(kind)}\n${kindTable(
        kind,
        record.cells.filter((c) => c.kind === kind),
        all,
      )}`,
  );
  const scenario = scenarioTable(record.cells, all);
  if (scenario) parts.push(`${colour.bold("latency: scenarios and resources")}\n${scenario}`);
  const failed = failures(record).map(
    ({ message, cells }) =>
      `${colour.red("failed")} ` +
      `${cellName(cells[0]!)}${cells.length > 1 ? ` and ${cells.length - 1} more` : ""}: ` +
      `${visible(message)}`,
  );
  const errors = new Map(
    record.cells.flatMap((c) =>
      c.state === "completed" ? c.errors.map((e): [string, string] => [e.item, e.message]) : [],
    ),
  );
  const unread =
    errors.size === 0
      ? []
      : [
          `${errors.size} item${errors.size > 1 ? "s" : ""} could not be measured; a query ` +
            "that has a right answer counts as missed: " +
            `${visible([...errors.keys()].slice(0, 5).join(", "))}${errors.size > 5 ? ", …" : ""}`,
        ];
  const notes = [
    ...new Set(record.cells.flatMap((c) => (c.state === "completed" ? c.notes : []))),
  ].map((n) => `note: ${visible(n)}`);
  return [
    `${colour.bold(visible(record.experiment.title))}  (${record.id}, protocol ` +
      `${record.experiment.protocol})`,
    ...parts,
    [...failed, ...unread, ...notes].join("\n"),
  ]
    .filter(Boolean)
    .join("\n\n");
}

/**
 * Failed cells by what failed them: one missing model is one thing to mend, however many cells
 * wanted it.
 */
export function failures(record: RunRecord): { message: string; cells: Cell[] }[] {
  const by = new Map<string, Cell[]>();
  for (const cell of record.cells)
    if (cell.state === "failed") by.set(cell.message, [...(by.get(cell.message) ?? []), cell]);
  return [...by].map(([message, cells]) => ({ message, cells }));
}

/** A cell in one line. */
export function cellName(cell: Pick<Cell, "kind" | "labels">): string {
  return visible(`${cell.kind} ${Object.values(plainLabels(cell.labels)).join(" ")}`);
}

/**
 * Rows are cells (for latency a stage of a cell), columns their labels and scores. Labels that are
 * alike in all cells are left out.
 */
function kindTable(kind: string, cells: readonly Cell[], all: boolean): string {
  const rows = cells.flatMap((cell) => (cell.state === "completed" ? rowsOf(cell) : []));
  if (rows.length === 0) return "nothing was measured";
  const labels = [...new Set(rows.flatMap((r) => Object.keys(r.labels)))].filter(
    (l) => rows.length === 1 || new Set(rows.map((r) => r.labels[l])).size > 1 || l === "model",
  );
  const names = [...new Set(rows.flatMap((r) => [...r.scores.keys()]))].filter(
    (name) => all || !headline[kind] || headline[kind].includes(name),
  );
  const head = [
    ...labels.map((l) => ({ head: l })),
    ...names.map((n) => ({ head: n, align: "right" as const })),
    { head: "n", align: "right" as const },
  ];
  return table(
    head,
    rows.map((row) => {
      const n = [...row.scores.values()].find((s) => s.value !== null);
      return [
        ...labels.map((l) => row.labels[l] ?? ""),
        ...names.map((name) => scoreText(row.scores.get(name))),
        n && n.value !== null ? n.n : null,
      ];
    }),
  );
}

/**
 * One row a system: throughput, the rate within a bound, cold start, memory. Null where no record
 * cell has them.
 */
function scenarioTable(cells: readonly Cell[], all: boolean): string | null {
  const chosen = (s: RecordedScore): boolean =>
    all
      ? s.metric !== "latency"
      : scenarios.includes(s.metric) &&
        (s.of?.phase ?? "total") === "total" &&
        !(s.metric === "single-stream-latency" && s.of?.percentile !== "90");
  const rows = cells.flatMap((c) =>
    c.kind === "latency" && c.state === "completed"
      ? [
          {
            system: c.labels.system ?? c.id,
            scores: new Map(c.scores.filter(chosen).map((s) => [scenarioName(s), s])),
          },
        ]
      : [],
  );
  const names = [...new Set(rows.flatMap((r) => [...r.scores.keys()]))];
  if (!names.some((name) => !name.startsWith("single-stream"))) return null;
  return table(
    [{ head: "system" }, ...names.map((n) => ({ head: n, align: "right" as const }))],
    rows.map((r) => [r.system, ...names.map((n) => scoreText(r.scores.get(n)))]),
  );
}

function scenarioName({ metric, of = {} }: RecordedScore): string {
  const { percentile, boundMs, rate, phase, part } = of;
  return [
    metric,
    phase ?? part,
    percentile && `p${percentile}`,
    boundMs && `within ${boundMs} ms`,
    rate && `at ${rate}/s`,
  ]
    .filter(Boolean)
    .join(" ");
}

interface Row {
  readonly labels: Readonly<Record<string, string>>;
  readonly scores: ReadonlyMap<string, RecordedScore>;
}

function rowsOf(cell: Extract<Cell, { state: "completed" }>): Row[] {
  const labels = plainLabels(cell.labels);
  if (cell.kind !== "latency")
    return [{ labels, scores: new Map(cell.scores.map((s) => [scoreName(s), s])) }];
  const timed = cell.scores.filter((s) => s.metric === "latency");
  const stages = [...new Set(timed.map((s) => s.of?.stage))];
  return stages.map((stage) => ({
    labels: { ...labels, ...(stage !== undefined && { stage }) },
    scores: new Map(
      timed.filter((s) => s.of?.stage === stage).map((s) => [`p${s.of?.percentile ?? ""}`, s]),
    ),
  }));
}

function scoreName({ metric, of }: RecordedScore): string {
  const rest = Object.entries(of ?? {}).map(([, value]) => value);
  return [metric, ...rest].join(" ");
}

/** `0.750 [0.724, 0.775]`, `1.93 MiB`, `12.1 ms`; n/a where there is none. */
function scoreText(score: RecordedScore | undefined): string {
  if (!score) return "";
  if (score.value === null) return "n/a";
  const one = (v: number): string => {
    switch (score.unit) {
      case "bytes":
        return bytes(v);
      case "ms":
        return ms(v);
      case "ratio":
        return v.toFixed(3);
      case "count":
        return String(v);
      case "per-second":
        return v.toPrecision(4);
    }
  };
  return score.interval
    ? `${one(score.value)} [${one(score.interval.low)}, ${one(score.interval.high)}]`
    : one(score.value);
}
