import {
  cacheInfo,
  pruneCache,
  type CacheEntryInfo,
  type CacheLog,
} from "../../eval/observe/cache.js";
import { cacheFolder } from "../../eval/config/paths.js";
import { whole } from "../options.js";
import { bytes, print, printJson, table } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  cache?: string;
  json?: boolean;
}

export const verb: Verb = {
  build(command) {
    command.description("Describe or empty the cache of detections and embeddings.");
    command
      .command("info")
      .description("what is cached, for which model")
      .option("--cache <folder>", "the cache (default: .cache/observations, or SHITU_CACHE)")
      .option("--json", "machine output")
      .action(async (options: Options) => {
        show(await cacheInfo(cacheFolder(options.cache)), options, "cached");
      });
    command
      .command("prune")
      .description("remove what is cached")
      .option("--older-than <days>", "only what was last written longer ago than this")
      .option("--cache <folder>", "the cache (default: .cache/observations, or SHITU_CACHE)")
      .option("--json", "machine output")
      .action(async (options: Options & { olderThan?: string }) => {
        const before =
          options.olderThan === undefined
            ? undefined
            : Date.now() - whole("--older-than", options.olderThan, 0) * 86_400_000;
        show(await pruneCache(cacheFolder(options.cache), before), options, "removed");
      });
  },
};

function show(
  infos: readonly (CacheLog | CacheEntryInfo)[],
  { json }: Options,
  what: string,
): void {
  if (json) {
    printJson(infos);
    return;
  }
  if (infos.length > 0) {
    print(
      table(
        [
          { head: "what" },
          { head: "model" },
          { head: "protocol" },
          { head: "entries", align: "right" },
          { head: "size", align: "right" },
          { head: "last written" },
        ],
        infos.map((i) => [
          i.key?.what ?? "?",
          i.key?.model.slice(0, 12) ?? "?",
          i.key?.protocol ?? "?",
          "entries" in i ? i.entries : null,
          bytes(i.bytes),
          i.modified,
        ]),
      ),
    );
  }
  const entries = infos.reduce((n, i) => n + ("entries" in i ? i.entries : 0), 0);
  const counted = infos.every((i) => "entries" in i);
  print(
    `${what}: ${counted ? `${entries} observations` : `${infos.length} logs`}, ` +
      `${bytes(infos.reduce((n, i) => n + i.bytes, 0))}`,
  );
}
