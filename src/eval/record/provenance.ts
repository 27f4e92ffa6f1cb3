import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { faissBuild } from "../../pipeline/index/engine.js";
import { packageVersion } from "../../pipeline/package-version.js";
import { preprocessingKernel } from "../../pipeline/image/preprocess.js";
import { installedAsPackage, projectRoot } from "../../pipeline/root.js";
import { describeMachine } from "./machine.js";
import type { RunRecord } from "./record.js";

/**
 * Everything about tool and machine that a number may depend on. What cannot be found out is null
 * or says so.
 */
export async function collectProvenance(): Promise<
  Pick<RunRecord["provenance"], "tool" | "commit" | "machine" | "versions">
> {
  const { version } = JSON.parse(await readFile(join(projectRoot, "package.json"), "utf8")) as {
    version: string;
  };
  const versions: Record<string, string> = {
    node: process.version,
    "onnxruntime-node": packageVersion("onnxruntime-node") ?? "absent",
    sharp: sharp.versions.sharp ?? "unknown",
    libvips: sharp.versions.vips,
    faiss: faissBuild(),
    usearch: packageVersion("usearch") ?? "absent",
    "faiss-node": packageVersion("faiss-node") ?? "absent",
    preprocessing: preprocessingKernel(),
  };
  return {
    tool: `shitu-bench ${version}`,
    commit: await commit(),
    machine: await describeMachine(),
    versions,
  };
}

/** The checkout's commit, with `+` where files differ from it; null outside a checkout. */
async function commit(): Promise<string | null> {
  // As an npm package it would find the commit of whoever installed it.
  if (installedAsPackage) return null;
  try {
    const git = promisify(execFile);
    const { stdout: head } = await git("git", ["rev-parse", "HEAD"], { cwd: projectRoot });
    const { stdout: changes } = await git(
      "git",
      ["status", "--porcelain", "--untracked-files=no"],
      { cwd: projectRoot },
    );
    return `${head.trim().slice(0, 12)}${changes.trim() === "" ? "" : "+"}`;
  } catch {
    return null;
  }
}
