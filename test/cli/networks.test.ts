import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { shitu } from "./shitu.js";

const folder = mkdtempSync(join(tmpdir(), "shitu-networks-verb-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("shitu networks", () => {
  it("lists them with Paddle's counts", async () => {
    const { code, stdout } = await shitu(["networks", "--json"]);
    expect(code).toBe(0);
    const all = JSON.parse(stdout) as { name: string; paddleParameters: number; macs: number }[];
    const found = all.find((n) => n.name === "pp-lcnet-1x");
    expect(found).toMatchObject({ paddleParameters: 2963464, macs: 155700480 });
    expect(all.length).toBeGreaterThan(20);
  });

  it("says what each operator adds", async () => {
    const args = ["networks", "operators", "mobilenet-v3-small-0.35x"];
    const { code, stdout } = await shitu([...args, "--json"]);
    expect(code).toBe(0);
    const told = JSON.parse(stdout) as { macs: number; paddleFlops: number };
    expect(told).toMatchObject({ macs: 13161528, paddleFlops: 14555930 });
    const { operators } = JSON.parse(stdout) as { operators: Record<string, number>[] };
    const sum = (of: string): number => operators.reduce((n, row) => n + row[of]!, 0);
    expect([sum("macs"), sum("paddleFlops")]).toEqual([13161528, 14555930]);
    const wrong = await shitu([...args.slice(0, 2), "mobilenet-v3-smal-0.35x"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("is near it")]);
  });

  it("builds one with a card that inspect agrees with", async () => {
    const [out, card] = [join(folder, "m.onnx"), join(folder, "m.yaml")];
    const args = ["networks", "build", "pp-lcnet-0.25x", "--size", "64", "--seed", "3"];
    expect((await shitu([...args, "--out", out, "--write-card", card])).code).toBe(0);
    expect(readFileSync(card, "utf8")).toContain("seed 3");
    expect((await shitu(["inspect", "--card", card])).code).toBe(0);
  });

  it.each([
    [["no-such-net"], "is near it"],
    [["shufflenet-v2-0.7x"], "is the nearest"],
    [["pp-lcnet-0.25x", "--size", "100"], "--size 96"],
    [["pp-lcnet-0.25x", "--seed", "x"], "whole number"],
  ])("refuses %j", async (args, text) => {
    const out = join(folder, "refused.onnx");
    const { code, stderr } = await shitu(["networks", "build", ...args, "--out", out]);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
    expect(existsSync(out)).toBe(false);
  });
});
