import { describe, expect, it } from "vitest";
import { lintLists, type Finding, type LintInput } from "../../../datasets/formats/list-linter.js";
import { parseList, type ImageList } from "../../../datasets/formats/paddleclas-list.js";

const list = (text: string, file = "gallery.txt"): ImageList =>
  parseList(text.replaceAll(" ", "\t").replaceAll(";", "\n"), file);
const query = (text: string) => list(text, "query.txt");
const codes = (findings: readonly Finding[]) =>
  findings.map((f) => `${f.severity} ${f.code} ${f.count}`);
const lint = async (input: LintInput) => codes(await lintLists(input));

const clean = list("g/a.jpg 1;g/b.jpg 2");

describe("lintLists", () => {
  it("is silent on clean lists", async () => {
    expect(
      await lint({
        gallery: clean,
        query: query("q/a.jpg 1;q/b.jpg 2"),
        train: list("t/a.jpg 1", "train.txt"),
        problemOf: () => Promise.resolve(null),
      }),
    ).toEqual([]);
  });

  it("two-column trap: query = gallery without uid is an error, with uid it is not", async () => {
    const [found] = await lintLists({ gallery: clean, query: query("g/b.jpg 2;./g//a.jpg 1") });
    expect(found).toMatchObject({
      code: "two-column-trap",
      severity: "error",
      count: 2,
      file: "query.txt",
      examples: ["line 1: g/b.jpg", "line 2: ./g//a.jpg"],
    });
    expect(found!.message).toContain("recall@1 would be 1.0");
    expect(await lint({ gallery: list("a 1 1;b 1 2"), query: query("a 1 1;b 1 2") })).toEqual([]);
    // A picture with another uid in the gallery finds itself after all.
    expect(await lint({ gallery: list("a 1 1;b 1 2"), query: query("a 1 1;b 1 7") })).toEqual([
      "warning query-in-gallery 1",
    ]);
    expect(
      (await lintLists({ gallery: list("a 1 1;b 1 2"), query: query("a 1 8;b 1 7") }))[0],
    ).toMatchObject({
      code: "two-column-trap",
      message: expect.stringContaining("their uids differ there") as unknown,
    });
    // A uid on one side only tells nothing apart.
    expect(await lint({ gallery: list("a 1 1;b 1 2"), query: query("a 1;b 1") })).toEqual([
      "error two-column-trap 2",
    ]);
  });

  it("some query pictures in the gallery: a warning that counts them", async () => {
    expect(await lint({ gallery: clean, query: query("g/a.jpg 1;q/b.jpg 2") })).toEqual([
      "warning query-in-gallery 1",
    ]);
  });

  it(
    "left out one by one, a picture may not be met by itself: no trap, but lonely labels " +
      "are noted",
    async () => {
      expect(await lint({ gallery: list("a 1;b 1;c 2") })).toEqual(["note label-once 1"]);
      expect(await lint({ gallery: list("a 1;b 2") })).toEqual(["error label-once 2"]);
    },
  );

  it("leakage from training", async () => {
    const found = await lintLists({
      gallery: clean,
      query: query("q/a.jpg 1;q/b.jpg 2"),
      train: list("g/b.jpg 2;q/a.jpg 1;t 3", "train.txt"),
    });
    expect(found.map((f) => [f.code, f.file, f.count])).toEqual([
      ["train-leakage", "query.txt", 1],
      ["train-leakage", "gallery.txt", 1],
    ]);
    expect(found[0]!.message).toContain("train.txt");
  });

  it("duplicates, and duplicates that contradict each other", async () => {
    expect(await lint({ gallery: list("a 1;a 1;b 1;./b 2"), query: query("q 1") })).toEqual([
      "error conflicting-label 1",
      "warning duplicate-path 1",
    ]);
  });

  it("missing pictures, each asked for once", async () => {
    const asked: string[] = [];
    const found = await lintLists({
      gallery: list("a 1;a 1;b 1"),
      query: query("q 1"),
      problemOf: (row) => (
        asked.push(row.path),
        Promise.resolve(row.path === "b" ? "no such file" : null)
      ),
    });
    expect(asked).toEqual(["q", "a", "b"]);
    expect(found.find((f) => f.code === "image-unusable")).toMatchObject({
      count: 1,
      examples: ["line 3: b: no such file"],
    });
  });

  it("labels that the gallery lacks: a warning, an error where no query is left", async () => {
    expect(await lint({ gallery: clean, query: query("q 1;r 9;s 9") })).toEqual([
      "warning label-missing-from-gallery 2",
    ]);
    expect(await lint({ gallery: clean, query: query("r 9") })).toEqual([
      "error label-missing-from-gallery 1",
    ]);
  });

  it("label 0 is noted, paths out of the root are warned of", async () => {
    expect(await lint({ gallery: list("a 0;b 1"), query: query("q 1") })).toEqual([
      "note label-zero 1",
    ]);
    expect(
      await lint({
        gallery: list("/abs/a.jpg 1;../b.jpg 1;x/../c.jpg 1;C:\\d.jpg 1"),
        query: query("q 1"),
      }),
    ).toEqual(["warning path-outside-root 3"]);
  });

  it("shows three examples at most", async () => {
    const [found] = await lintLists({ gallery: clean, query: query("q1 8;q2 8;q3 8;q4 8;q5 1") });
    expect([found!.count, found!.examples.length]).toEqual([4, 3]);
  });
});

describe("identifiers of two lists that should meet", () => {
  it("uids of which none is in the gallery are a warning with an example", async () => {
    const [found] = await lintLists({
      gallery: list("g/a.jpg 1 00;g/b.jpg 2 01"),
      query: query("q/a.jpg 1 0;q/b.jpg 2 1"),
    });
    expect(found).toMatchObject({ code: "uids-never-meet", severity: "warning", count: 2 });
    expect(found!.examples[0]).toBe("line 1: 0, in the gallery 00");
    expect(
      await lint({ gallery: list("g/a.jpg 1 0"), query: query("q/a.jpg 1 0;q/b.jpg 1 7") }),
    ).toEqual([]);
  });

  it("labels that the gallery has in another Unicode form are told from missing ones", async () => {
    const [found] = await lintLists({
      gallery: list("g/a.jpg caf\u00e9"),
      query: query("q/a.jpg cafe\u0301;q/b.jpg caf\u00e9"),
    });
    expect(found).toMatchObject({ code: "label-missing-from-gallery", count: 1 });
    expect(found!.message).toMatch(/the gallery has 1 of them in another Unicode form$/);
  });
});
