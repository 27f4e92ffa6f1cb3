import { describe, expect, it } from "vitest";
import { dark, light, shapes } from "../../reports/analysis/colours.js";
import { seriesOf } from "../../reports/analysis/series.js";
import { contrast, difference, visions } from "./colour-vision.js";

const themes = { light, dark };
const pairs = (colours: readonly string[]): [string, string][] =>
  colours.flatMap((a, i) => colours.slice(i + 1).map((b): [string, string] => [a, b]));

describe("the simulation of colour vision", () => {
  it("gives the differences of CIEDE2000's authors' kind, none of a colour to itself", () => {
    expect(difference("#ff0000", "#00ff00")).toBeCloseTo(86.6, 1);
    expect(difference("#0000ff", "#ffff00")).toBeCloseTo(103.4, 1);
    expect(difference("#123456", "#123456", "tritan")).toBe(0);
  });

  it("makes red and green alike to those who confuse them", () => {
    expect(difference("#c0504d", "#7d8a2e", "deutan")).toBeLessThan(
      difference("#c0504d", "#7d8a2e") / 3,
    );
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  });
});

describe.each(Object.entries(themes))("the colours of the %s theme", (_, palette) => {
  const { category, paper, background } = palette;

  it.each(visions)("are apart to %s eyes", (vision) => {
    for (const [a, b] of pairs([...category, paper]))
      expect(difference(a, b, vision), `${a} and ${b}`).toBeGreaterThanOrEqual(10);
    for (const [a, b] of [
      [palette.hit, palette.miss],
      [palette.real, palette.binary],
      [palette.ours, palette.paper],
    ] as const)
      expect(difference(a, b, vision), `${a} and ${b}`).toBeGreaterThanOrEqual(10);
  });

  it("stand out from their ground", () => {
    for (const colour of [...category, paper, palette.hit, palette.miss])
      expect(contrast(colour, background), colour).toBeGreaterThanOrEqual(3);
    for (const text of [palette.ink, palette.muted])
      expect(contrast(text, background), text).toBeGreaterThanOrEqual(4.5);
  });

  it("of the map go one way from little to much, with texts that can be read", () => {
    const steps = palette.ramp.map((colour) => contrast(colour, background));
    expect([...steps].sort((a, b) => a - b)).toEqual(steps);
    const [before, after] = palette.rampText;
    for (let percent = 0; percent <= 100; percent++) {
      const ground = mixed(palette.ramp, percent / 100);
      const text = percent / 100 > palette.rampTurn ? after : before;
      expect(contrast(text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });
});

/** The colour at a share of a ramp whose steps are mixed in RGB. */
function mixed(ramp: readonly string[], share: number): string {
  const place = share * (ramp.length - 1);
  const at = Math.min(ramp.length - 2, Math.floor(place));
  const channel = (i: number, from: number): number =>
    Number.parseInt(ramp[i]!.slice(from, from + 2), 16);
  return `#${[1, 3, 5]
    .map((from) => channel(at, from) + (place - at) * (channel(at + 1, from) - channel(at, from)))
    .map((value) => Math.round(value).toString(16).padStart(2, "0"))
    .join("")}`;
}

describe("eight models", () => {
  it("differ by shape or dash where hue is not seen at all", () => {
    const names = ["a", "b", "c", "d", "e", "server", "light", "light-int8"];
    const { shapes: marks, dashes } = seriesOf(names);
    expect(new Set(marks.map((mark, i) => `${mark} ${String(dashes[i])}`)).size).toBe(8);
    for (const mark of marks) expect(shapes).toContain(mark);
  });
});
