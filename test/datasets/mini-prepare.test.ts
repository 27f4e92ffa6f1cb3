import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Drawings, rasterise, storeReady, writeStore } from "../../datasets/mini/drawings.js";
import { headSvg, peopleOf } from "../../datasets/mini/heads.js";
import type { Outcome, SetPlan } from "../../datasets/mini/plan.js";
import { differences, renderSet } from "../../datasets/mini/prepare.js";
import { openSource, sources } from "../../datasets/mini/sources.js";
import type { Result, Task } from "../../datasets/mini/tasks.js";

const folder = () => mkdtempSync(join(tmpdir(), "mini-"));
const square = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ' +
    'viewBox="0 0 16 16" width="16" height="16"><rect x="4" y="4" width="8" height="8" ' +
    'fill="#f00" fill-opacity="0.5"/></svg>',
);

describe("drawings", () => {
  it("are rendered at their final size, sharp, with colours multiplied by alpha", async () => {
    const made = await rasterise("square", square);
    const place = folder();
    await writeStore(place, "token", "1.0.0", [made]);
    const { data } = (await Drawings.open(place, ["token"])).get("token/square").levels[0]!;
    const at = (x: number, y: number) => [
      ...data.subarray((y * 128 + x) * 4, (y * 128 + x) * 4 + 4),
    ];
    expect(at(31, 64)).toEqual([0, 0, 0, 0]);
    // Half of full red, multiplied by its alpha: 255 x 127.5 / 255.
    expect(at(33, 64)[3]).toBeGreaterThanOrEqual(127);
    expect(at(33, 64)[0]).toBe(at(33, 64)[3]);
    expect(at(95, 95)[3]).toBe(at(33, 64)[3]);
    expect(at(97, 97)).toEqual([0, 0, 0, 0]);
  });

  it("leave out and count what is empty or cannot be drawn", async () => {
    const place = folder();
    const empty = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"></svg>',
    );
    await writeStore(place, "token", "1", [
      await rasterise("a", square),
      await rasterise("b", empty),
      await rasterise("c", Buffer.from("no picture")),
    ]);
    const drawings = await Drawings.open(place, ["token"]);
    expect([...drawings.hashes.keys()]).toEqual(["token/a"]);
    expect(drawings.unusable.get("token")).toBe(2);
  });

  it("are made anew for another version of their package", async () => {
    const place = folder();
    await writeStore(place, "token", "1.0.0", [await rasterise("a", square)]);
    expect(storeReady(place, "token", "1.0.0")).toBe(true);
    expect(storeReady(place, "token", "1.0.1")).toBe(false);
  });

  it("come from every package, with ink", async () => {
    for (const source of sources) {
      const { keys, load } = openSource(source);
      const made = await rasterise(keys[7]!, load(keys[7]!));
      expect(made?.ink, source.name).toBeGreaterThan(8);
    }
  });

  it("show one person with another expression, and another person otherwise", async () => {
    const [first, second] = peopleOf("test", 0, 2);
    const ink = async (person: number, expression: number) =>
      (await rasterise("h", headSvg("test", person, expression)))!.hash;
    expect(await ink(first!, 0)).toBe(await ink(first!, 0));
    expect(await ink(first!, 0)).not.toBe(await ink(first!, 1));
    expect(await ink(first!, 0)).not.toBe(await ink(second!, 0));
  });
});

/** A set of `count` pictures that a made-up crew writes. */
function smallSet(count: number): {
  plan: SetPlan;
  crew: { do(task: Task): Promise<Result> };
  calls: () => number;
  fail: (yes: boolean) => void;
} {
  let calls = 0;
  let failing = false;
  const plan: SetPlan = {
    name: "mini-small",
    task: "recognition",
    standsFor: "-",
    differs: "-",
    counts: { gallery: count },
    pictures: Array.from({ length: count }, (_, i) => ({
      file: `images/${i}.jpg`,
      quality: 90,
      paint: () => ({ width: 1, height: 1, pixels: new Uint8Array(3) }),
    })),
    files: (outcomes) => ({
      "gallery.txt": outcomes.map((o, i) => `images/${i}.jpg ${o.hash}\n`).join(""),
    }),
  };
  const crew = {
    async do(task: Task): Promise<Result> {
      calls++;
      if (task.kind !== "render") throw new Error("only pictures here");
      if (failing && task.from > 0) throw new Error("power cut");
      return Array.from({ length: task.to - task.from }, (_, i): Outcome => {
        writeFileSync(join(task.out, `images/${task.from + i}.jpg`), "picture");
        return {
          width: 1,
          height: 1,
          hash: (task.from + i).toString(16).padStart(6, "0"),
          placed: [],
        };
      });
    },
  };
  return {
    plan,
    crew,
    calls: () => calls,
    fail: (yes) => {
      failing = yes;
    },
  };
}

describe("renderSet", () => {
  const site = (place: string, crew: { do(task: Task): Promise<Result> }, key = "k") => ({
    folder: place,
    key,
    crew,
    drawings: "",
    stores: [],
    tick: () => undefined,
  });

  it("writes all pictures and lists, in order", async () => {
    const place = folder();
    const { plan, crew } = smallSet(120);
    const outcomes = await renderSet(plan, site(place, crew));
    expect(outcomes).toHaveLength(120);
    expect(readdirSync(join(place, "mini-small", "images"))).toHaveLength(120);
    expect(readFileSync(join(place, "mini-small", "gallery.txt"), "utf8").split("\n")[119]).toBe(
      "images/119.jpg 000077",
    );
    expect(readdirSync(place)).toEqual(["mini-small"]);
  });

  it("keeps a finished set, and makes it anew when what it depends on has changed", async () => {
    const place = folder();
    const { plan, crew, calls } = smallSet(60);
    const first = await renderSet(plan, site(place, crew));
    const after = calls();
    expect(await renderSet(plan, site(place, crew))).toEqual(first);
    expect(calls()).toBe(after);
    await renderSet(plan, site(place, crew, "another generator"));
    expect(calls()).toBe(2 * after);
  });

  it("leaves nothing behind when it breaks off, and an older set as it was", async () => {
    const place = folder();
    const { plan, crew, fail } = smallSet(120);
    fail(true);
    await expect(renderSet(plan, site(place, crew))).rejects.toThrow("power cut");
    expect(readdirSync(place)).toEqual([]);
    fail(false);
    await renderSet(plan, site(place, crew));
    fail(true);
    await expect(renderSet(plan, site(place, crew, "new"))).rejects.toThrow("power cut");
    expect(existsSync(join(place, "mini-small", "gallery.txt"))).toBe(true);
    expect(readdirSync(place)).toEqual(["mini-small"]);
  });

  it(
    "clears away what a killed process left, and " + "leaves alone what a living one is at",
    async () => {
      const place = folder();
      mkdirSync(join(place, ".mini-small.4194303")); // above Linux's highest process number
      mkdirSync(join(place, `.mini-small.${process.ppid}`));
      const { plan, crew } = smallSet(5);
      await renderSet(plan, site(place, crew));
      expect(readdirSync(place).sort()).toEqual([`.mini-small.${process.ppid}`, "mini-small"]);
    },
  );
});

describe("differences", () => {
  it("counts pictures, not bytes, and missing ones too", () => {
    expect(differences(Buffer.from("aaabbbccc"), Buffer.from("aaabbbccc"))).toBe(0);
    expect(differences(Buffer.from("aaabbbccc"), Buffer.from("aaaxyzccc"))).toBe(1);
    expect(differences(Buffer.from("aaabbb"), Buffer.from("aaabbbccc"))).toBe(1);
  });
});
