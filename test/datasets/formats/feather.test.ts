import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decompressLz4Frame } from "../../../datasets/formats/lz4-frame.js";
import { readVectors } from "../../../datasets/formats/vector-file.js";
import { projectRoot } from "../../../src/pipeline/root.js";
import { complaintOf } from "../../complaint.js";

const golden = (name: string): string => join(projectRoot, "test/golden/vectors", name);

describe("Feather as pyarrow writes it", () => {
  it.each(["lz4.feather", "zstd.feather"])("%s gives every value", async (name) => {
    const { data, dim } = await readVectors(golden(name));
    const expected = Array.from(
      { length: 64 * 8 },
      (_, i) => ((Math.floor(i / 8) * 7 + (i % 8)) % 11) / 4,
    );
    expect([dim, [...data]]).toEqual([8, expected]);
  });

  it("cut anywhere it is refused", async () => {
    const bytes = readFileSync(golden("lz4.feather"));
    const { mkdtempSync } = await import("node:fs");
    const { tmpdir } = await import("node:os");
    const file = join(mkdtempSync(join(tmpdir(), "feather-")), "cut.feather");
    for (let keep = 8; keep < bytes.length; keep += 97) {
      writeFileSync(file, bytes.subarray(0, keep));
      expect((await complaintOf(readVectors(file))).code, String(keep)).toMatch(/^arrow-/);
    }
  });
});

describe("decompressLz4Frame", () => {
  const frame = (...blocks: number[]): Uint8Array =>
    Uint8Array.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0, ...blocks, 0, 0, 0, 0]);

  it("copies literals and repeats matches, overlapping ones too", () => {
    // "ab", then 8 bytes from 2 back, then the literal "c".
    expect(
      Buffer.from(decompressLz4Frame(frame(7, 0, 0, 0, 0x24, 97, 98, 2, 0, 0x10, 99))).toString(),
    ).toBe("ababababab" + "c");
  });

  it("takes blocks that were not compressed", () => {
    expect([...decompressLz4Frame(frame(2, 0, 0, 0x80, 5, 6))]).toEqual([5, 6]);
  });

  it.each([
    ["another beginning", Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), /no LZ4 frame/],
    ["a block beyond the end", frame(99, 0, 0, 0, 0), /cut/],
    ["a match before the beginning", frame(5, 0, 0, 0, 0x14, 97, 9, 0, 0), /before the beginning/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => decompressLz4Frame(bytes)).toThrow(message);
  });
});
