import { Command } from "commander";
import { describe, expect, it, vi } from "vitest";
import { verb as evalRetrieval } from "../../src/cli/verbs/eval-retrieval.js";
import { verb as gallery } from "../../src/cli/verbs/gallery.js";
import { configJsonSchema } from "../../src/eval/config/config.js";
import { exactScores } from "../../src/eval/experiments/retrieval.js";
import { indexPoints } from "../../src/eval/experiments/index-points.js";
import { rankQueries } from "../../src/eval/metrics/retrieval/retrieval.js";
import {
  answerScores,
  retrievalScores,
} from "../../src/eval/metrics/retrieval/retrieval-scores.js";
import { decodeOutputs, explainForm, formLabel } from "../../src/pipeline/forms/forms.js";
import { cardJsonSchema } from "../../src/pipeline/model/card.js";
import { openIndex } from "../../src/pipeline/index/engine.js";

// Each toy is one file; what a house of its own would add is the line in the table.
vi.mock("../../src/eval/metrics/retrieval/retrieval-metrics.js", async (original) => {
  const { retrievalMetrics } =
    await original<typeof import("../../src/eval/metrics/retrieval/retrieval-metrics.js")>();
  const { toyMetric } = await import("./toy-metric.js");
  return { retrievalMetrics: [...retrievalMetrics, toyMetric] };
});
vi.mock("../../src/pipeline/index/engines.js", async (original) => {
  const { indexEngines } = await original<typeof import("../../src/pipeline/index/engines.js")>();
  const { toyEngine } = await import("./toy-engine.js");
  return { indexEngines: [...indexEngines, toyEngine] };
});
vi.mock("../../src/pipeline/forms/form-table.js", async (original) => {
  const { detectorForms } =
    await original<typeof import("../../src/pipeline/forms/form-table.js")>();
  const { toyForm } = await import("./toy-form.js");
  return { detectorForms: [...detectorForms, toyForm] };
});

function help(build: (command: Command) => void, name?: string): string {
  const command = new Command();
  build(command);
  const found = name === undefined ? command : command.commands.find((c) => c.name() === name)!;
  return found.helpInformation().replace(/\s+/g, " ");
}

describe("a metric of one file", () => {
  it("is in the help of the verb that scores", () => {
    expect(help((command) => evalRetrieval.build(command))).toContain("toy-reciprocal@k");
  });

  it("is in the scores of exact and approximate indexes, with an interval", async () => {
    const rows = { data: Float32Array.of(1, 0, 0, 1, 0.9, 0.1), dim: 2 };
    const labels = ["a", "b", "b"];
    const evidence = await rankQueries(
      { queries: rows, gallery: rows, queryLabels: labels, galleryLabels: labels },
      { ks: [2] },
    );
    const exact = exactScores(retrievalScores(evidence));
    expect(exact.find((s) => s.metric === "toy-reciprocal@2")).toMatchObject({
      // The last row is nearer to the first than to itself.
      value: expect.closeTo(2.5 / 3, 12),
      n: 3,
    });
    const answers = { ranks: [[2], [1]], positives: Int32Array.of(1, 1) };
    const approximate = answerScores(answers, [2], {});
    expect(approximate.find((s) => s.metric === "toy-reciprocal@2")).toMatchObject({
      value: 0.75,
      interval: { level: 0.95 },
    });
  });
});

describe("an engine of one file", () => {
  it("is in the schema of experiments, with the range of its parameter", () => {
    const text = JSON.stringify(configJsonSchema());
    expect(text).toContain('"toy-engine"');
    expect(text).toContain('"toyBeam"');
    expect(text).toContain("beams of the toy");
  });

  it("is in the help of a gallery, its parameter as an option", () => {
    const text = help((command) => gallery.build(command), "build");
    expect(text).toContain("toy-engine");
    expect(text).toContain("--toy-beam <n> beams of the toy");
  });

  it("is swept and opened", async () => {
    const spec = { engine: "toy-engine", factory: "Flat", parameters: { toyBeam: [2, 3] } };
    expect(indexPoints(spec).map((point) => point.parameters)).toEqual([
      { toyBeam: 2 },
      { toyBeam: 3 },
    ]);
    const shape = { kind: "real", metric: "l2", dim: 2 } as const;
    const index = await openIndex({ ...shape, engine: "toy-engine", factory: "Flat" });
    expect(index.size).toBe(0);
    index.close();
  });
});

describe("a detector form of one file", () => {
  const outputs = [{ name: "found", shape: [null, 5] }];

  it("is recognised, named and decoded", () => {
    const { form, roles } = explainForm(outputs);
    expect(form).toBe("toy-form");
    expect(formLabel("toy-form")).toBe("toy-form (t)");
    const data = Float32Array.of(1, 2, 3, 4, 0.5);
    const run = { output: () => ({ data, dims: [1, 5] }), count: () => null };
    const suppression = { scoreThreshold: 0, iou: 1, candidates: 1, keep: 1 };
    expect(decodeOutputs(roles!, run, { scaleX: 1, scaleY: 1, suppression })).toEqual([
      { box: { x0: 1, y0: 2, x1: 3, y1: 4 }, score: 0.5, classId: 0 },
    ]);
  });

  it("is in the schema of cards", () => {
    expect(JSON.stringify(cardJsonSchema())).toContain('"toy-form"');
  });
});
