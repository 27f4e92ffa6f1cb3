import { existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Complaint } from "../../pipeline/errors.js";
import { projectRoot } from "../../pipeline/root.js";
import type { CellPlan } from "../experiments/cell.js";

/** One thing that cells of a sweep wait for. */
export interface MissingPart {
  readonly what: string;
  readonly code: string;
  readonly message: string;
  readonly howToGet: string;
  /** Cells that it keeps from being measured. */
  readonly cells: number;
}

/** What stands in the way of planned cells, each thing once, and where it comes from. */
export function missingParts(plans: readonly CellPlan[]): MissingPart[] {
  const parts = new Map<string, MissingPart>();
  for (const { problem, labels } of plans) {
    if (!problem) continue;
    const { complaint } = problem;
    const part = parts.get(problem.message);
    const what =
      complaint.code === "setting-missing"
        ? (complaint.path ?? "a setting")
        : shown(complaint.file ?? "");
    parts.set(
      problem.message,
      part
        ? { ...part, cells: part.cells + 1 }
        : {
            what,
            code: complaint.code,
            message: problem.message,
            howToGet: howToGet(complaint, labels),
            cells: 1,
          },
    );
  }
  return [...parts.values()];
}

function shown(file: string): string {
  return file.startsWith(`${projectRoot}${sep}`) ? relative(projectRoot, file) : file;
}

function howToGet(
  { code, file = "", fix = "" }: Complaint,
  labels: Readonly<Record<string, string>>,
): string {
  if (code === "setting-missing") return fix;
  const path = shown(file);
  const model = /^models[/\\]([^/\\]+)[/\\]/.exec(path)?.[1];
  if (
    model !== undefined &&
    existsSync(join(projectRoot, "models", "training", "configs", `${model}.json`))
  )
    return `train it: make -C models/training ${model}`;
  if (/^datasets[/\\]mini[/\\]build[/\\]/.test(path))
    return "render it: shitu datasets prepare mini";
  if (file.endsWith("card.yaml"))
    return (
      "configs/paper/README.md says which model it is; shitu inspect MODEL.onnx " +
      "--write-card CARD drafts its card"
    );
  const dataset = (labels.dataset ?? labels.images ?? "").replace(/-detection$/, "");
  const readme = `datasets/${dataset}/README.md`;
  return existsSync(join(projectRoot, readme))
    ? `${readme} says where it comes from and how to lay it out`
    : fix;
}
