// building/: a setting and vectors in; a built index, kept by content, with what building and
// holding it cost, out. It never sees a query.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../../pipeline/errors.js";
import { loadIndex } from "../../../pipeline/index/engine.js";
import { isCodes, type IndexMetric, type Codes, type Vectors } from "../../../pipeline/types.js";
import { firstRows } from "../data/choice-data.js";
import type { Setting } from "../point.js";
import { BuildProcess } from "./build-process.js";
import { asSaved, builtOf, type BuildStore } from "./build-store.js";
import { build, type Built } from "./built.js";

export interface WorkOrder {
  readonly setting: Setting;
  readonly size: number;
  /** What it is thought to take; null where nothing is known. */
  readonly expectedMs: number | null;
  /** After so long it is given up. */
  readonly mostMs: number;
  /** Where the index is to stay. Null: nowhere. */
  readonly store: BuildStore | null;
}

/** The index, or why there is none. */
export type Work = { readonly built: Built } | { readonly why: string };

/** Builds of so few values last no longer than a start of the process that could be ended. */
const smallValues = 2e6;
const shortMs = 2000;

/**
 * Builds indexes within the time given: what is sure to be short here, the rest in a process that
 * is ended where the time is up.
 */
export class Workshop {
  readonly #rows: Vectors | Codes;
  readonly #metric: IndexMetric;
  readonly #process: BuildProcess;
  #folder: string | null = null;

  constructor(rows: Vectors | Codes, metric: IndexMetric) {
    this.#rows = rows;
    this.#metric = metric;
    this.#process = new BuildProcess(rows, metric);
  }

  async build(order: WorkOrder): Promise<Work> {
    return this.#isShort(order) ? this.#here(order) : this.#apart(order);
  }

  async close(): Promise<void> {
    await this.#process.close();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = null;
  }

  #isShort({ size, expectedMs }: WorkOrder): boolean {
    const width = isCodes(this.#rows) ? this.#rows.bits / 8 : this.#rows.dim;
    return size * width <= smallValues && (expectedMs ?? 0) <= shortMs;
  }

  async #here({ setting, size, store }: WorkOrder): Promise<Work> {
    try {
      const built = await build(setting, firstRows(this.#rows, size), this.#metric);
      if (built.trainMs + built.addMs > worthKeepingMs) await store?.keep(built);
      return { built };
    } catch (error) {
      return { why: complaintOf(error) };
    }
  }

  async #apart({ setting, size, mostMs, store }: WorkOrder): Promise<Work> {
    const file = (await store?.place(setting)) ?? join(await this.#place(), "index.bin");
    const report = await this.#process.build({ setting, size, file }, mostMs);
    if ("lateMs" in report) return { why: `its build was cut off after ${seconds(mostMs)}` };
    if ("refused" in report) return { why: report.refused.message };
    if ("failed" in report) return { why: report.failed };
    const note = report.done;
    await store?.adopt(setting, note);
    try {
      const index = await loadIndex(asSaved(setting.engine, note, file));
      return { built: builtOf(setting, note, index) };
    } catch (error) {
      return { why: complaintOf(error) };
    } finally {
      if (store === null) await rm(file, { force: true });
    }
  }

  async #place(): Promise<string> {
    return (this.#folder ??= await mkdtemp(join(tmpdir(), "shitu-trial-")));
  }
}

/** Builds that took longer are kept on disk for the next choice. */
const worthKeepingMs = 1000;

function complaintOf(error: unknown): string {
  if (!(error instanceof UserError)) throw error;
  return error.complaint.message;
}

/** `12 s`, `1.5 s`, `4 min`: as precise as a forecast is. */
export function seconds(ms: number): string {
  if (ms >= 120_000) return `${(ms / 60_000).toFixed(0)} min`;
  return ms >= 10_000 ? `${(ms / 1000).toFixed(0)} s` : `${Math.max(0, ms / 1000).toFixed(1)} s`;
}
