import { describe, expect, it } from "vitest";
import { gateHtml } from "../../src/cli/gate/html/gate-html.js";
import { divergenceChart } from "../../src/cli/gate/html/divergence-chart.js";
import { failedGate, layers } from "../eval/gate/failed-gate.js";

const pictures = new Map([["shelf/0.jpg", "data:image/webp;base64,AAAA"]]);
const html = gateHtml(failedGate, pictures, { judgedAt: "2026-11-28" });

describe("a gate's HTML file", () => {
  it("has the verdict first, then limits, flips and the divergence", () => {
    const places = ["<h1", "<h2>Limits", "30 of 50 items flipped", "Where it broke</h2>", "<svg"];
    const at = places.map((text) => html.indexOf(text));
    expect(at.every((place) => place > 0)).toBe(true);
    expect([...at].sort((a, b) => a - b)).toEqual(at);
    expect(html).toMatch(/<h1 class="fail">.*FAIL: /);
  });

  it("loads nothing from anywhere", () => {
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(html).not.toMatch(/https?:|@import|url\(/);
  });

  it("places labels and names as text", () => {
    expect(html).not.toContain("<script");
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html).toContain("&lt;script&gt;alert(1)");
  });

  it("shows pictures where it has them, and counts the flips that it leaves out", () => {
    expect(html.match(/<img /g)).toHaveLength(1);
    expect(html).toContain("no picture");
    expect(html).toContain("6 more are in the record");
  });
});

describe("the divergence chart", () => {
  const chart = divergenceChart(layers).text;

  it("marks the first value below the floor, and says it in words", () => {
    expect(chart.match(/<circle class="first"/g)).toHaveLength(1);
    expect(chart).toMatch(/aria-label="Of 4 values, the first below 60 dB is c2 \(Conv\)."/);
    expect(chart).toMatch(/<circle class="first"[^>]*><title>Conv, c2: 4.0 dB/);
  });

  it("keeps every value inside, from the worst to rounding", () => {
    const heights = [...chart.matchAll(/cy="([\d.]+)"/g)].map((m) => Number(m[1]));
    expect(heights).toHaveLength(4);
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
    expect(Math.min(...heights)).toBeGreaterThanOrEqual(14);
    expect(Math.max(...heights)).toBeLessThanOrEqual(206);
  });

  it("says so where nothing could be compared", () => {
    const none = divergenceChart({ ...layers, first: null, rows: [] }).text;
    expect(none).toBe("<p>No value of the two graphs could be compared.</p>");
  });
});
