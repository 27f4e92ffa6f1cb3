import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { releases } from "../../datasets/releases/releases.js";
import { oneOf, UserError } from "../pipeline/errors.js";
import { projectRoot } from "../pipeline/root.js";
import { checkDataset } from "./dataset-check.js";
import { ExitCode } from "./exit-code.js";
import { nearestName } from "./nearest-name.js";
import { progressBar } from "./progress.js";
import { print, printJson, table, warn } from "./terminal.js";

/** Releases of the paper's data sets: looked through, and cropped where recognition needs it. */

/** What is there of a release; exit code 2 where a part is missing. */
export async function checkRelease(
  name: string,
  { data, json }: { data: string; json?: boolean },
): Promise<void> {
  const parts = await checkDataset(manifestsOf(name), data);
  if (json) printJson(parts);
  else {
    const heads = ["data set", "part", "", "found", "expected", "what to do"];
    print(
      table(
        heads.map((head) => ({ head })),
        parts.map((p) => [p.set, p.part, p.verdict, p.found, p.expected, p.fix]),
      ),
    );
  }
  if (parts.some((p) => p.verdict === "missing" || p.verdict === "incomplete"))
    process.exitCode = ExitCode.input;
}

/** The manifests of a release: a folder's, or the one of that name within another's. */
function manifestsOf(name: string): string[] {
  const root = join(projectRoot, "datasets");
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((f) => f.isDirectory() && existsSync(join(root, f.name, "manifest.yaml")))
    .map((f) => f.name);
  const files = (folder: string): string[] =>
    readdirSync(join(root, folder))
      .filter((f) => f.endsWith(".yaml"))
      .sort()
      .map((f) => join(root, folder, f));
  if (folders.includes(name)) return files(name);
  const [, folder = "", part = ""] = /^(.+)-(detection)$/.exec(name) ?? [];
  if (folders.includes(folder)) return files(folder).filter((f) => f.endsWith(`${part}.yaml`));
  throw new UserError({
    code: "unknown-dataset",
    message: "no data set of this name",
    expected: oneOf(folders),
    found: JSON.stringify(name),
    fix: `${nearestName(name, folders)} is the nearest`,
  });
}

/** Cuts the crops that a release does not have. */
export async function prepareRelease(
  name: string,
  { data, json }: { data?: string | undefined; json?: boolean | undefined },
): Promise<void> {
  const release = Object.hasOwn(releases, name) ? releases[name] : undefined;
  if (!release) {
    const names = ["mini", ...Object.keys(releases)];
    throw new UserError({
      code: "unknown-dataset",
      message: "nothing is prepared of a data set of this name",
      expected: oneOf(names),
      found: JSON.stringify(name),
      fix: `${nearestName(name, names)} is the nearest; other releases are read as they are`,
    });
  }
  if (data === undefined)
    throw new UserError({
      code: "bad-option",
      message: "a release is needed to cut crops of",
      expected: "--data FOLDER",
      found: "nothing",
      fix: `give the folder that holds ${release.folder}`,
    });
  const bar = progressBar(`crops of ${name}`, "crops");
  const done = await release.prepare(data, bar.report).finally(() => {
    bar.stop();
  });
  if (json) printJson(done);
  else {
    const counts = Object.entries(done.lists).map(([list, n]) => `${list} ${n}`);
    print(`${done.folder}: ${counts.join(", ")}`);
  }
  for (const { item, message } of done.failed.slice(0, 5)) warn(`${item}: ${message}`);
  if (done.failed.length > 0) {
    warn(`${done.failed.length} crops could not be made`);
    process.exitCode = ExitCode.belowBar;
  }
}
