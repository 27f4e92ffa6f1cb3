import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idMapPickle, parseIdMap } from "../../src/import/paddle/galleries/pickle.js";
import { UserError } from "../../src/pipeline/errors.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { complaintOf } from "../complaint.js";

/** Made by test/golden/paddle-gallery/make.py. */
const golden = (name: string): Uint8Array =>
  readFileSync(join(projectRoot, "test", "golden", "paddle-gallery", name));

const map = new Map([
  [0, "0/0.jpg\t脉动"],
  [1, "1/0.jpg\t红牛"],
  [2, "2/my cup.jpg\ta b"],
  [3, "3/x.jpg water"],
]);

describe("pickles of id maps", () => {
  it.each([
    ...[3, 4, 5].map((protocol) => `numpy-keys-${protocol}.pkl`),
    ...[2, 3, 4].map((protocol) => `plain-keys-${protocol}.pkl`),
  ])("%s is read", (name) => {
    expect(parseIdMap(golden(name), name)).toEqual(map);
  });

  it.each([
    ["refused-call.pkl", "the name posix system"],
    ["refused-list.pkl", "opcode 0x5d"],
    ["refused-nested.pkl", "an entry that is no text"],
  ])("%s is refused, and nothing in it is run", async (name, found) => {
    const complaint = await complaintOf(() => parseIdMap(golden(name), name));
    expect(complaint).toMatchObject({ code: "pickle-refused", file: name });
    expect(complaint.found).toContain(found);
    expect(existsSync("harm-was-done")).toBe(false);
  });

  it("what is written is read again, whatever the texts", () => {
    const entries = fc.array(fc.tuple(fc.nat(2 ** 31 - 1), fc.string({ unit: "grapheme" })));
    fc.assert(
      fc.property(entries, (pairs) => {
        const written = new Map(pairs.map(([key, text]) => [key, text]));
        expect(parseIdMap(idMapPickle(written), "written")).toEqual(written);
      }),
    );
  });

  it("a changed byte gives a map or a refusal, never another error", () => {
    const bytes = golden("numpy-keys-4.pkl");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = value;
        try {
          expect(parseIdMap(changed, "changed")).toBeInstanceOf(Map);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
