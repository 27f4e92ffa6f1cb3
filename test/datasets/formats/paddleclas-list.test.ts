import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatList, parseList, readList } from "../../../datasets/formats/paddleclas-list.js";
import { complaintOf } from "../../complaint.js";
import { shared, sharedData } from "../../shared-data.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "list-"));
});
afterAll(() => rm(folder, { recursive: true }));

const file = (content: string | Uint8Array) => {
  const path = join(folder, "list.txt");
  writeFileSync(path, content);
  return path;
};
const rows = (text: string, options = {}) =>
  parseList(text, "l.txt", options).rows.map(({ path, label, uid }) =>
    uid === undefined ? [path, label] : [path, label, uid],
  );

describe("tab-separated lists", () => {
  it("keeps labels and paths with spaces whole", () => {
    expect(rows("my photos/a 1.jpg\tCoca Cola Zero\nb.jpg\t脉动\n")).toEqual([
      ["my photos/a 1.jpg", "Coca Cola Zero"],
      ["b.jpg", "脉动"],
    ]);
  });

  it("reads a third column as uid, whatever it is", () => {
    expect(rows("a.jpg\tCoca Cola\tcam 7\nb.jpg\t2\t0")).toEqual([
      ["a.jpg", "Coca Cola", "cam 7"],
      ["b.jpg", "2", "0"],
    ]);
  });

  it(
    "accepts a byte order mark, CRLF, blank lines and a missing last newline, and counts " +
      "lines as an editor does",
    async () => {
      const list = await readList(file("\ufeffa.jpg\t1\r\n\r\n  \r\nb.jpg\t2"));
      expect(list).toMatchObject({
        delimiter: "tab",
        columns: 2,
        rows: [
          { path: "a.jpg", label: "1", line: 1 },
          { path: "b.jpg", label: "2", line: 4 },
        ],
      });
    },
  );

  it("has no comments: # is part of a path", () => {
    expect(rows("#1/a.jpg\t1")).toEqual([["#1/a.jpg", "1"]]);
  });
});

describe("space-separated lists", () => {
  it("path label, the label with its spaces", () => {
    expect(rows("a.jpg Coca Cola Zero\nb.jpg Fanta")).toEqual([
      ["a.jpg", "Coca Cola Zero"],
      ["b.jpg", "Fanta"],
    ]);
  });

  it("path label uid where every line has three fields and label and uid are integers", () => {
    expect(rows("a.jpg 12 0\nb.jpg 7 1")).toEqual([
      ["a.jpg", "12", "0"],
      ["b.jpg", "7", "1"],
    ]);
    expect(rows("a.jpg 12 0\nb.jpg 7")).toEqual([
      ["a.jpg", "12 0"],
      ["b.jpg", "7"],
    ]);
  });

  it(
    "refuses to guess where the last number may " + "belong to the label, and obeys when told",
    async () => {
      const text = "a.jpg cola 1\nb.jpg cola 2";
      expect(await complaintOf(() => parseList(text, "l.txt"))).toMatchObject({
        code: "list-ambiguous",
        file: "l.txt",
        found: "a.jpg cola 1",
      });
      expect(rows(text, { columns: 2 })).toEqual([
        ["a.jpg", "cola 1"],
        ["b.jpg", "cola 2"],
      ]);
      expect(rows(text, { columns: 3 })).toEqual([
        ["a.jpg", "cola", "1"],
        ["b.jpg", "cola", "2"],
      ]);
      expect(rows("a.jpg big red cola 1", { columns: 3 })).toEqual([
        ["a.jpg", "big red cola", "1"],
      ]);
    },
  );
});

describe("the paddleclas protocol cuts a label at its first space", () => {
  it("for tabs and spaces, path and uid untouched", () => {
    expect(rows("my photos/a.jpg\tCoca Cola\tcam 7", { labels: "first-word" })).toEqual([
      ["my photos/a.jpg", "Coca", "cam 7"],
    ]);
    expect(rows("a.jpg Coca Cola\nb.jpg Fanta", { labels: "first-word" })).toEqual([
      ["a.jpg", "Coca"],
      ["b.jpg", "Fanta"],
    ]);
  });
});

describe("bad input names file, line, expected and found", () => {
  it.each([
    ["a.jpg\t1\nb.jpg", {}, "line 2", "1 field"],
    ["a.jpg\t1\nb.jpg\t2\t3", {}, "line 2", "3 fields"],
    ["a.jpg\t1\t\t4", {}, "line 1", "4 fields"],
    ["a.jpg\t1\nb.jpg\t\t3", { columns: 3 }, "line 1", "2 fields"],
    ["\ta.jpg", {}, "line 1", "one field"],
    ["a.jpg 1\nb.jpg", {}, "line 2", "one field"],
    ["a.jpg 1", { columns: 3 }, "line 1", "2 fields"],
  ])("%j %j", async (text, options, line, found) => {
    const complaint = await complaintOf(() => parseList(text, "l.txt", options as { columns?: 3 }));
    expect(complaint).toMatchObject({ code: "list-line", file: "l.txt", path: line, found });
    expect(complaint.expected).toBeTruthy();
  });

  it("an empty field between tabs", async () => {
    expect(await complaintOf(() => parseList("a.jpg\t1\t2\nb.jpg\t\t3", "l.txt"))).toMatchObject({
      path: "line 2",
      found: "an empty field",
    });
  });

  it("empty, missing, a folder, GBK, UTF-16", async () => {
    expect((await complaintOf(readList(file(" \n\n")))).code).toBe("list-empty");
    expect((await complaintOf(readList(join(folder, "none.txt")))).code).toBe("file-unreadable");
    expect((await complaintOf(readList(folder))).code).toBe("file-unreadable");
    const gbk = Buffer.concat([
      Buffer.from("a.jpg\t1\nb.jpg\t"),
      Buffer.of(0xc2, 0xf6, 0xb6, 0xaf, 0x0a),
    ]);
    expect(await complaintOf(readList(file(gbk)))).toMatchObject({
      code: "list-encoding",
      path: "line 2",
      expected: "UTF-8",
    });
    expect(
      (await complaintOf(readList(file(Buffer.from("\ufeffa.jpg\t1\n", "utf16le"))))).code,
    ).toBe("list-encoding");
  });
});

describe("properties", () => {
  const word = fc.stringMatching(/^[a-z0-9_脉动]{1,6}$/);
  const text = fc.array(word, { minLength: 1, maxLength: 3 }).map((w) => w.join(" "));

  it("what formatList writes, parseList reads back", () => {
    fc.assert(
      fc.property(
        fc.boolean().chain((withUid) =>
          fc.array(fc.record({ path: text, label: text, ...(withUid && { uid: text }) }), {
            minLength: 1,
            maxLength: 8,
          }),
        ),
        (list) => {
          expect(
            parseList(formatList(list), "l.txt").rows.map(({ line: _, ...row }) => row),
          ).toEqual(list);
        },
      ),
      { seed: 1 },
    );
  });
});

describe.skipIf(!sharedData)("third-party data", () => {
  it("reads the drink list: 988 lines, 197 labels", async () => {
    const list = await readList(shared("drink/gallery/drink_label.txt"));
    expect([
      list.delimiter,
      list.columns,
      list.rows.length,
      new Set(list.rows.map((r) => r.label)).size,
    ]).toEqual(["tab", 2, 988, 197]);
    expect(list.rows[0]).toEqual({ path: "0/0.jpg", label: "脉动", line: 1 });
  });
});

describe("a path with a space in a list that spaces separate", () => {
  it("is refused with the remedy, where it shows", async () => {
    for (const line of ["q 3.jpg 0", "q3 copy.jpg 0", "a b.png 0 7"]) {
      const complaint = await complaintOf(() => parseList(`good.jpg 0\n${line}\n`, "list.txt"));
      expect(complaint).toMatchObject({
        code: "list-line",
        path: "line 2",
        fix: "separate the fields by tabs",
      });
    }
  });

  it("is no reason to refuse a label that looks like a file, or a path without an ending", () => {
    expect(parseList("a.jpg made from b.jpg\n", "l", { columns: 2 }).rows[0]!.label).toBe(
      "made from b.jpg",
    );
    expect(parseList("folder/a 3\n", "l").rows[0]).toMatchObject({ path: "folder/a", label: "3" });
  });
});
