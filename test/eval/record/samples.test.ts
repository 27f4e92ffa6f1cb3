import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as aq from "arquero";
import { describe, expect, it } from "vitest";
import {
  readSamples,
  samplesFromArrow,
  samplesToArrow,
  unitOfSamples,
} from "../../../src/eval/record/samples.js";
import { UserError } from "../../../src/pipeline/errors.js";

const samples = {
  a: { decode: [1.25, 0.1, 7], overall: [3], "server 10/s": [] },
  "latency-1": { "peak-memory": [2 ** 31, 5] },
};
const folder = (): string => mkdtempSync(join(tmpdir(), "samples-"));

describe("samples of a record", () => {
  it(
    "are read back from Arrow as written, to the last bit and in order; an empty list is no " +
      "list",
    () => {
      expect(samplesFromArrow(samplesToArrow(samples))).toEqual({
        a: { decode: [1.25, 0.1, 7], overall: [3] },
        "latency-1": { "peak-memory": [2 ** 31, 5] },
      });
      expect(samplesFromArrow(samplesToArrow({}))).toEqual({});
    },
  );

  it("have a unit in the file", () => {
    expect(aq.fromArrow(samplesToArrow(samples)).objects().at(-1)).toEqual({
      cell: "latency-1",
      name: "peak-memory",
      unit: "bytes",
      place: 1,
      value: 5,
    });
    expect(unitOfSamples("server 10/s")).toBe("ms");
  });

  it(
    "are read from samples.json in a record from before samples.arrow, and are none where " +
      "there is neither",
    async () => {
      const at = folder();
      expect(await readSamples(at)).toEqual({});
      writeFileSync(join(at, "samples.json"), JSON.stringify({ c: { decode: [1, 2] } }));
      expect(await readSamples(at)).toEqual({ c: { decode: [1, 2] } });
      writeFileSync(join(at, "samples.arrow"), samplesToArrow(samples));
      expect(Object.keys(await readSamples(at))).toEqual(["a", "latency-1"]);
    },
  );

  it("name the file that is not what it says", async () => {
    for (const name of ["samples.json", "samples.arrow"]) {
      const at = folder();
      writeFileSync(join(at, name), "{");
      const error: unknown = await readSamples(at).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).complaint).toMatchObject({
        code: "record-broken",
        file: join(at, name),
      });
    }
  });
});
