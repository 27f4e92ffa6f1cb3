import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as aq from "arquero";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import {
  readEvidence,
  writeEvidence,
  type Evidence,
} from "../../../src/eval/observe/evidence-file.js";
import { UserError, type Complaint } from "../../../src/pipeline/errors.js";

const folder = mkdtempSync(join(tmpdir(), "evidence-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const box = fc.record({ x0: number, y0: number, x1: number, y1: number });
const neighbour = fc.option(fc.record({ label: fc.string(), score: number }));
const crop = fc.record({ box, whole: fc.boolean(), exact: neighbour, found: neighbour });
const evidence: fc.Arbitrary<Evidence> = fc.record({
  exact: fc.boolean(),
  oracleExact: fc.boolean(),
  images: fc.uniqueArray(
    fc.array(fc.record({ label: fc.string(), box }), { maxLength: 3 }).chain((truth) =>
      fc.record({
        image: fc.string(),
        truth: fc.constant(truth),
        unknown: fc.array(box, { maxLength: 2 }),
        crops: fc.array(crop, { maxLength: 3 }),
        oracle: fc.option(fc.array(crop, { minLength: truth.length, maxLength: truth.length })),
        unobserved: fc.option(fc.string()),
      }),
    ),
    { minLength: 1, maxLength: 5, selector: (i) => i.image },
  ),
});

async function complaint(file: string): Promise<Complaint> {
  const error: unknown = await readEvidence(file).catch((e: unknown) => e);
  if (error instanceof UserError) return error.complaint;
  throw new Error("should have been refused");
}

describe("evidence of F1", () => {
  it.each(["json", "arrow"])("is read back from %s as written, to the last bit", async (ending) => {
    await fc.assert(
      fc.asyncProperty(evidence, async (given) => {
        const file = join(folder, `any.${ending}`);
        await writeEvidence(file, given);
        // -0 is 0 in JSON.
        expect(JSON.stringify(await readEvidence(file))).toBe(
          JSON.stringify({
            images: given.images,
            exact: given.exact,
            oracleExact: given.oracleExact,
          }),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("is refused where it is not what its name says, with file and place", async () => {
    const at = (name: string, content: string | Uint8Array): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    expect(await complaint(join(folder, "none.json"))).toMatchObject({ code: "file-unreadable" });
    expect(await complaint(at("cut.json", "{"))).toMatchObject({ code: "json-syntax" });
    expect(await complaint(at("text.arrow", "not arrow"))).toMatchObject({
      code: "evidence-broken",
    });
    expect(
      await complaint(at("other.arrow", aq.table({ a: [1] }).toArrowIPC({ format: "file" })!)),
    ).toMatchObject({ code: "evidence-broken", message: "it has no column image" });
    const image = { image: "a", truth: [], unknown: [], crops: [], oracle: null, unobserved: null };
    const all = { schema: 1, exact: true, oracleExact: false };
    expect(
      await complaint(at("twice.json", JSON.stringify({ ...all, images: [image, image] }))),
    ).toMatchObject({ code: "duplicate-image", path: "images[1]" });
    expect(
      await complaint(
        at(
          "oracle.json",
          JSON.stringify({
            ...all,
            images: [
              {
                ...image,
                oracle: [
                  { box: { x0: 0, y0: 0, x1: 1, y1: 1 }, whole: false, exact: null, found: null },
                ],
              },
            ],
          }),
        ),
      ),
    ).toMatchObject({ code: "schema", path: "images[0].oracle", expected: "0", found: "1" });
  });
});
