import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { buildSite } from "../../src/cli/report/site.js";
import { verb } from "../../src/cli/verbs/report.js";

const folder = await mkdtemp(join(tmpdir(), "report-verb-"));
const report = (...args: string[]): Promise<unknown> => {
  const command = new Command("report").exitOverride();
  verb.build(command);
  return command.parseAsync(args, { from: "user" });
};

// Each is refused before anything is built or written.
describe("shitu report on bad input", () => {
  it("refuses a port that is none", async () => {
    await expect(report("--port", "http")).rejects.toMatchObject({
      complaint: { code: "bad-option", found: '"http"' },
    });
    await expect(report("--port", "70000")).rejects.toMatchObject({
      complaint: { code: "bad-option", found: "70000" },
    });
  });

  it("names the pages where it does not know one", async () => {
    await expect(report("--single", "indx")).rejects.toMatchObject({
      complaint: {
        code: "no-such-page",
        expected: expect.stringContaining("index-choice, latency"),
      },
    });
  });

  it("refuses a file in the place of the folder of records", async () => {
    const file = join(folder, "runs");
    await writeFile(file, "");
    await expect(report("--runs", file, "--build-only")).rejects.toMatchObject({
      complaint: { code: "runs-folder", file },
    });
  });

  it("never replaces a folder that is not a site of its own", async () => {
    const out = join(folder, "photos");
    await mkdir(out);
    await writeFile(join(out, "holiday.jpg"), "");
    await expect(buildSite({ runs: join(folder, "none"), out })).rejects.toMatchObject({
      complaint: { code: "report-out", file: out },
    });
  });
});
