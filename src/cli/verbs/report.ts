import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { runsFolder } from "../../eval/config/paths.js";
import { UserError } from "../../pipeline/errors.js";
import { writeAtomic } from "../../pipeline/atomic-file.js";
import { installedAsPackage, projectRoot } from "../../pipeline/root.js";
import { whole } from "../options.js";
import { serveSite } from "../report/server.js";
import { singleFile } from "../report/single-file.js";
import { buildSite } from "../report/site.js";
import { bytes, print, printJson, visible, warn } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  runs?: string;
  out?: string;
  port: string;
  single?: string;
  buildOnly?: boolean;
  json?: boolean;
}

export const verb: Verb = {
  build(command) {
    command
      .description("Build the report site of the run records and serve it on 127.0.0.1.")
      .option("--runs <folder>", "the records (default: runs/, or SHITU_RUNS)")
      .option(
        "--out <path>",
        "where the site goes (default: reports/dist); with --single, the file",
      )
      .option("--port <n>", "port of the server, 0 for any free one", "8080")
      .option(
        "--single <page>",
        "write this one page as a self-contained HTML file that opens from disk",
      )
      .option("--build-only", "build, do not serve")
      .option("--json", "machine output")
      .action(report);
  },
};

async function report(options: Options): Promise<void> {
  const port = whole("--port", options.port, 0);
  if (port > 65_535)
    throw new UserError({
      code: "bad-option",
      message: "--port takes a port",
      expected: "0 to 65535",
      found: options.port,
    });
  const runs = resolve(runsFolder(options.runs));
  const site =
    options.single === undefined && options.out !== undefined
      ? resolve(options.out)
      : join(projectRoot, "reports", "dist");
  if (installedAsPackage) {
    throw new UserError({
      code: "not-in-package",
      message: "the npm package does not hold the report's pages",
      fix: "run it in a clone of the repository; shitu gate --html writes one file of a gate",
    });
  }
  const pages = (await readdir(join(projectRoot, "reports")))
    .filter((name) => name.endsWith(".md"))
    .map((name) => name.slice(0, -".md".length))
    .sort();
  if (options.single !== undefined && !pages.includes(options.single))
    throw new UserError({
      code: "no-such-page",
      message: `no page ${JSON.stringify(options.single)}`,
      expected: pages.join(", "),
      fix: "name one of these",
    });
  const start = performance.now();
  if (!options.json) print(`building the report of ${visible(runs)}`);
  await buildSite({
    runs,
    out: site,
    waiting: (owner) => warn(`${owner} builds a report of this checkout: waiting for it`),
  });
  const seconds = Number(((performance.now() - start) / 1000).toFixed(1));

  if (options.single !== undefined) {
    const file = resolve(options.out ?? `shitu-${options.single}.html`);
    const html = await singleFile(site, options.single, pages);
    await writeAtomic(file, html);
    if (options.json) printJson({ file, bytes: Buffer.byteLength(html), seconds });
    else print(`${visible(file)} (${bytes(Buffer.byteLength(html))})`);
    return;
  }
  if (options.buildOnly) {
    if (options.json) printJson({ site, seconds });
    else print(`${visible(site)} built in ${seconds} s`);
    return;
  }
  const server = await serveSite(site, port);
  if (options.json) printJson({ site, seconds, address: server.address });
  else print(`built in ${seconds} s\n\n  ${server.address}\n\nCtrl-C stops it.`);
  await new Promise<void>((stop) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop());
  });
  await server.close();
}
