import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../datasets/formats/npy.js";
import { projectRoot } from "../src/pipeline/root.js";
import { shituProcess } from "./cli/shitu.js";
import { shared, sharedData } from "./shared-data.js";

/** Every line of a code block in these files that starts with npm or npx shitu. */
const documents = ["README.md", "CONTRIBUTING.md"];
const commands = documents.flatMap((file) => {
  const fences = [
    ...readFileSync(join(projectRoot, file), "utf8").matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm),
  ];
  const blocks = fences.filter((m) => m[1] === "").map((m) => m[2]!);
  return blocks
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => /^(npm|npx) /.test(line))
    .map((command) => ({ file, command }));
});

describe("commands in the documents", () => {
  it("are found", () => {
    expect(commands.filter((c) => c.file === "README.md").length).toBeGreaterThan(8);
  });

  it("of npm exist as scripts, and .ci/run runs the ones that check", () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const named = commands.flatMap(({ command }) => /^npm (?:run )?(\S+)/.exec(command)?.[1] ?? []);
    for (const script of new Set(named)) expect(Object.keys(scripts), script).toContain(script);
    const ci = readFileSync(join(projectRoot, ".ci/run"), "utf8");
    for (const check of ["npm test", "lint", "types"]) expect(ci).toContain(check);
  });
});

describe.skipIf(!sharedData)("commands in the documents, run as written", () => {
  // A folder that looks like the user's: the names in the documents lead to real things.
  const home = mkdtempSync(join(tmpdir(), "docs-"));
  /** As many as `choose` needs to hold queries out. */
  const pictures = 200;

  /** Photos and annotations as they lie there, but few drinks: the whole set has its own test. */
  function linkData(folder: string): void {
    const gallery = "drink/gallery";
    mkdirSync(join(folder, gallery), { recursive: true });
    for (const name of readdirSync(shared()).filter((n) => n !== "drink"))
      symlinkSync(shared(name), join(folder, name));
    for (const name of readdirSync(shared("drink")).filter((n) => n !== "gallery"))
      symlinkSync(shared("drink", name), join(folder, "drink", name));
    const file = "drink_label_all.txt";
    const list = readFileSync(shared(gallery, file), "utf8").split("\n").slice(0, 60);
    writeFileSync(join(folder, gallery, file), `${list.join("\n")}\n`);
    for (const path of list.map((line) => line.split("\t")[0]!))
      if (existsSync(shared(gallery, path)))
        cpSync(shared(gallery, path), join(folder, gallery, path));
  }

  beforeAll(async () => {
    linkData(join(home, "FOLDER"));
    symlinkSync(shared("models"), join(home, "MODELS"));
    mkdirSync(join(home, "PHOTOS"));
    mkdirSync(join(home, "runs"));
    symlinkSync(join(projectRoot, "runs/reference"), join(home, "runs/reference"));
    for (const folder of ["configs", "datasets"])
      symlinkSync(join(projectRoot, folder), join(home, folder));
    const listed = readFileSync(shared("drink/gallery/drink_label_all.txt"), "utf8")
      .split("\n")
      .slice(0, 24);
    for (const line of listed) {
      const path = line.split("\t")[0]!;
      mkdirSync(join(home, "PHOTOS", path, ".."), { recursive: true });
      cpSync(shared("drink/gallery", path), join(home, "PHOTOS", path));
    }
    writeFileSync(join(home, "PHOTOS/drink_label.txt"), `${listed.join("\n")}\n`);
    cpSync(shared("drink/test_images/001.jpeg"), join(home, "photo.jpg"));
    const onnx = "picodet_xs_320_lcnet_postprocessed.onnx";
    cpSync(shared("models/picodet", onnx), join(home, "model.onnx"));
    writeFileSync(
      join(home, "card.yaml"),
      readFileSync(join(projectRoot, "configs/first-light/picodet-xs.yaml"), "utf8").replace(
        onnx,
        "model.onnx",
      ),
    );
    cpSync(shared("coco-val2014-100/instances_val2014_100.json"), join(home, "instances.json"));
    cpSync(
      shared("coco-val2014-100/instances_val2014_fakebbox100_results.json"),
      join(home, "results.json"),
    );
    const rows = Float32Array.from({ length: pictures * 8 }, (_, i) => Math.sin(i * 7.3));
    await writeNpy(join(home, "gallery.npy"), rows, [pictures, 8]);
    await writeNpy(
      join(home, "query.npy"),
      rows.map((x, i) => x + 0.1 * Math.cos(i)),
      [pictures, 8],
    );
    for (const side of ["gallery", "query"])
      writeFileSync(
        join(home, `${side}.txt`),
        Array.from({ length: pictures }, (_, i) => `${side}/${i}.jpg\tlabel ${i % 8}`).join("\n"),
      );
  });

  const env = { SHITU_RUNS: join(home, "runs"), SHITU_CACHE: join(home, "cache") };
  const lines = commands.filter(({ command }) => command.startsWith("npx shitu "));
  it.each(lines.map(({ command }) => command))(
    "%s",
    async (command) => {
      const args = command.slice("npx shitu ".length).split(/\s+/);
      // The report is built but not served, and long runs are cut to a few pictures' latency.
      if (args[0] === "report") args.push("--build-only", "--out", join(home, "site"));
      if (args[0] === "choose") args.push("--budget", "2s");
      const { code, stderr, stdout } = await shituProcess(args, { cwd: home, env });
      expect(stderr).not.toMatch(/internal error/);
      expect(code, `${stderr}\n${stdout}`).toBe(0);
    },
    300_000,
  );

  it("leave behind what the documents promise", () => {
    expect(existsSync(join(home, "drawn"))).toBe(true);
    expect(existsSync(join(home, "my-gallery", "gallery.json"))).toBe(true);
    expect(existsSync(join(home, "runs"))).toBe(true);
  });
});
