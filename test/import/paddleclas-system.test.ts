import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Observation } from "../../src/pipeline/types.js";
import { shitu } from "../cli/shitu.js";
import { shared, sharedData } from "../shared-data.js";

/** PaddleClas's own answers, by test/golden/paddle-system/make.py; skipped where absent. */
const out = process.env.SHITU_PADDLE_SYSTEM;
const there = sharedData !== null && out !== undefined && existsSync(join(out, "answers.json"));

interface Answered {
  readonly picture: string;
  readonly answers: readonly { box: number[]; label: string; score: number }[];
}

describe.skipIf(!there)("PaddleClas's pipeline on ten pictures", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "shitu-paddleclas-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("gives the boxes, labels and scores of shitu recognize --system", async () => {
    const config = join(out!, "deploy", "configs", "inference_general.yaml");
    const system = join(folder, "system");
    expect((await shitu(["import", config, "--out", system])).code).toBe(0);
    const reference = JSON.parse(readFileSync(join(out!, "answers.json"), "utf8")) as Answered[];
    const pictures = reference.map(({ picture }) => shared("drink", "gallery", picture));
    const { stdout } = await shitu(["recognize", "--system", system, "--json", ...pictures]);
    const observed = JSON.parse(stdout) as Observation[];
    reference.forEach(({ picture, answers }, i) => {
      const kept = observed[i]!.recognitions.filter((r) => r.fate === "kept");
      expect(kept.length, picture).toBe(answers.length);
      for (const { box, label, score } of answers) {
        const own = kept.find((r) => Object.values(r.box).join() === box.join())!;
        expect(own.score, picture).toBeCloseTo(score, 4);
        // Neighbours that are as near to the last digits may come in either order.
        const nearest = own.hits.filter((h) => h.score > own.score - 1e-6).map((h) => h.label);
        expect(nearest, picture).toContain(label);
      }
    });
  }, 300_000);
});
