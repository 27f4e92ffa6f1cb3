import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../../datasets/formats/npy.js";
import { projectRoot } from "../../src/pipeline/root.js";
import { shituProcess } from "../cli/shitu.js";

const guides = readdirSync(join(projectRoot, "docs/guide")).filter((f) => f.endsWith(".md"));

/** What a guide has the reader do: a file to write, or a command and what it shows. */
type Step =
  | { readonly file: string; readonly text: string }
  | { readonly command: string; readonly seen: readonly string[]; readonly code: number };

function stepsOf(guide: string): Step[] {
  const text = readFileSync(join(projectRoot, "docs/guide", guide), "utf8");
  const steps: Step[] = [];
  for (const [, language, block = ""] of text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (language === "yaml") steps.push({ file: /^# (\S+)\n/.exec(block)![1]!, text: block });
    const last = steps.at(-1);
    if (language === "text" && last !== undefined && "command" in last) {
      const lines = block.trimEnd().split("\n");
      const code = /^exit code (\d)$/.exec(lines.at(-1)!)?.[1];
      const seen = code === undefined ? lines : lines.slice(0, -1);
      steps[steps.length - 1] = { ...last, seen, code: Number(code ?? 0) };
    }
    if (language === "")
      for (const command of block.split("\n").filter((line) => line.startsWith("npx shitu ")))
        steps.push({ command, seen: [], code: 0 });
  }
  return steps;
}

/** A shown line: `…` stands for anything, and columns may be wider. */
function pattern(line: string): RegExp {
  const parts = line.trim().split("…");
  const literal = (part: string): string =>
    part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+");
  return new RegExp(parts.map(literal).join(".*"));
}

/**
 * The first shown line that the output does not have after the one before it; null where all are.
 */
function missing(seen: readonly string[], output: string): string | null {
  const lines = output.split("\n");
  let at = 0;
  for (const line of seen) {
    const found = lines.findIndex((text, i) => i >= at && pattern(line).test(text));
    if (found < 0) return line;
    at = found + 1;
  }
  return null;
}

/** Eight things, four drawings each: waves that differ in number and colour. */
async function drawPhotos(folder: string): Promise<void> {
  mkdirSync(folder);
  const listed: string[] = [];
  for (let item = 0; item < 8; item++)
    for (let shot = 0; shot < 4; shot++) {
      const [width, height] = [120 + 10 * shot, 100 + 8 * shot];
      const data = Buffer.alloc(width * height * 3);
      for (let i = 0; i < width * height; i++) {
        const [x, y] = [(i % width) / width, Math.floor(i / width) / height];
        const on = Math.sin(x * (3 + item)) * Math.cos(y * (9 - item)) > 0.1 * shot - 0.2;
        const ground = [230, 230 - 9 * item, 255 - 30 * item];
        data.set(on ? [25 * item, 200 - 20 * item, 40 + 10 * shot] : ground, i * 3);
      }
      const name = `item-${item}-${shot}.jpg`;
      const raw = { width, height, channels: 3 as const };
      await sharp(data, { raw }).jpeg().toFile(join(folder, name));
      listed.push(`${name}\titem ${item}`);
    }
  writeFileSync(join(folder, "list.txt"), `${listed.join("\n")}\n`);
}

describe.each(guides)("docs/guide/%s", (guide) => {
  let home: string;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "guide-"));
    for (const folder of ["configs", "models", "datasets"])
      symlinkSync(join(projectRoot, folder), join(home, folder));
    mkdirSync(join(home, "runs"));
    symlinkSync(join(projectRoot, "runs/reference"), join(home, "runs/reference"));
    await drawPhotos(join(home, "photos"));
    cpSync(join(home, "photos/item-3-1.jpg"), join(home, "photo.jpg"));
    mkdirSync(join(home, "my-model"));
    cpSync(join(projectRoot, "models/light-general/model.onnx"), join(home, "my-model/model.onnx"));
    const value = (i: number): number =>
      Math.sin((Math.floor(i / 32) % 40) * 7.3 + (i % 32)) + 0.2 * Math.sin(i * 1.7);
    const rows = Float32Array.from({ length: 400 * 32 }, (_, i) => value(i));
    await writeNpy(join(home, "gallery.npy"), rows, [400, 32]);
    const listed = Array.from({ length: 400 }, (_, i) => `p/${i}.jpg\titem ${i % 40}`);
    writeFileSync(join(home, "gallery.txt"), `${listed.join("\n")}\n`);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  const steps = stepsOf(guide);

  it("has commands, each with what is seen", () => {
    expect(steps.filter((step) => "command" in step).length).toBeGreaterThanOrEqual(3);
    for (const step of steps)
      if ("command" in step && !step.command.includes("gallery build"))
        expect(step.seen.length, step.command).toBeGreaterThan(0);
  });

  it.each(steps.map((step) => ["command" in step ? step.command : `writes ${step.file}`, step]))(
    "%s",
    async (_, step) => {
      if (typeof step === "string") return;
      if ("file" in step) {
        writeFileSync(join(home, step.file), step.text);
        return;
      }
      const { code, stdout, stderr } = await shituProcess(step.command.split(/\s+/).slice(2), {
        cwd: home,
        env: { SHITU_RUNS: join(home, "runs"), SHITU_CACHE: join(home, "cache") },
      });
      const output = `${stderr}\n${stdout}`;
      expect(code, output).toBe(step.code);
      expect(missing(step.seen, output), `a shown line that is not in\n${output}`).toBeNull();
    },
    300_000,
  );
});

describe("what is seen", () => {
  it("must be there, in order", () => {
    expect(missing(["a … c", "d"], "x\na  b  c\nd")).toBeNull();
    expect(missing(["d", "a … c"], "a b c\nd")).toBe("a … c");
    expect(missing(["1.000 (x)"], "1 000 (x)")).toBe("1.000 (x)");
  });
});
