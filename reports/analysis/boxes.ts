/**
 * The boxes of one picture, as `cases.arrow` holds them, sorted by what became of them. A found box
 * is right where it overlaps truth with IoU 0.5 or more and carries its label.
 */

export interface JudgedBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly label: string;
  /** null on truth boxes. */
  readonly score: number | null;
  /** Where the pipeline lost this truth box, if the record says. */
  readonly lostAt?: string;
  /**
   * The best gallery entries of a found box as [label, score, picture], where the record has them.
   */
  readonly neighbours?: readonly (readonly [string, number, string | null])[];
  /** `kept` where a picture has no truth to judge by. */
  readonly fate: "truth" | "missed" | "hit" | "false" | "kept" | "dropped";
}

type Row = readonly unknown[];

/**
 * Parses the `boxes` column; text that is not such JSON gives null, as a record may come from
 * anywhere.
 */
export function parseBoxes(json: string | null): JudgedBox[] | null {
  if (json === null) return null;
  let value: { truth?: unknown; found?: unknown };
  try {
    value = JSON.parse(json) as typeof value;
  } catch {
    return null;
  }
  const rows = (list: unknown): Row[] =>
    Array.isArray(list)
      ? list.filter(
          (row): row is Row =>
            Array.isArray(row) && row.slice(0, 4).every((x) => typeof x === "number"),
        )
      : [];
  const text = (x: unknown): string => (typeof x === "string" ? x : "");
  const corners = (row: Row): { x0: number; y0: number; x1: number; y1: number } => ({
    x0: row[0] as number,
    y0: row[1] as number,
    x1: row[2] as number,
    y1: row[3] as number,
  });
  const entries = (list: readonly unknown[]): [string, number, string | null][] =>
    list
      .filter(Array.isArray)
      .map((n: unknown[]) => [
        text(n[0]),
        typeof n[1] === "number" ? n[1] : 0,
        typeof n[2] === "string" ? n[2] : null,
      ]);
  // A detector's tail of boxes that no metric used would hide everything else.
  const found = rows(value.found)
    .filter((row) => row[6] !== "unused")
    .map((row) => ({
      ...corners(row),
      score: typeof row[4] === "number" ? row[4] : null,
      label: text(row[5]),
      said: String(row[6] ?? ""),
      ...(Array.isArray(row[7]) && row[7].length > 0 && { neighbours: entries(row[7]) }),
    }));
  // A pipeline's truth also says at which stage it was lost.
  const truth = rows(value.truth).map((row) => ({
    ...corners(row),
    label: text(row[4]),
    stage: text(row[5]),
  }));
  const judged = found.some((box) => box.said === "hit" || box.said === "false");
  const taken = new Set<number>();
  const dropped = ["below-threshold", "suppressed", "empty", "ignored"];
  const fates: JudgedBox[] = [...found]
    .sort((a, b) => (b.score ?? 0) - (a.score ?? 0))
    .map((box) => {
      const { said, ...rest } = box;
      if (dropped.includes(said)) return { ...rest, fate: "dropped" };
      if (truth.length === 0 && !judged) return { ...rest, fate: "kept" };
      const best = truth
        .map((t, i) => ({ i, iou: iou(t, box) }))
        .filter(
          ({ i, iou: v }) =>
            !taken.has(i) &&
            v >= 0.5 &&
            (judged || truth[i]!.label === "" || box.label === "" || truth[i]!.label === box.label),
        )
        .sort((a, b) => b.iou - a.iou)[0];
      const hit = judged ? said === "hit" : best !== undefined;
      if (hit && best !== undefined) taken.add(best.i);
      return { ...rest, fate: hit ? "hit" : "false" };
    });
  return [
    ...truth.map(({ stage, ...t }, i): JudgedBox => {
      const found = stage === "" ? taken.has(i) : stage === "correct";
      return {
        ...t,
        score: null,
        fate: found ? "truth" : "missed",
        ...(stage !== "" && !found && { lostAt: stage }),
      };
    }),
    ...fates,
  ];
}

/**
 * How wrong a picture is, for putting the worst first: missed objects count one each, false boxes
 * their score.
 */
export function badness(boxes: readonly JudgedBox[]): number {
  return boxes.reduce(
    (sum, box) => sum + (box.fate === "missed" ? 1 : box.fate === "false" ? (box.score ?? 0.5) : 0),
    0,
  );
}

type Corners = Pick<JudgedBox, "x0" | "y0" | "x1" | "y1">;

function iou(a: Corners, b: Corners): number {
  const width = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const height = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / ((a.x1 - a.x0) * (a.y1 - a.y0) + (b.x1 - b.x0) * (b.y1 - b.y0) - both);
}
