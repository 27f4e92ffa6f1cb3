import { Option, type Command } from "commander";
import { oneOf, UserError } from "../../pipeline/errors.js";
import { engineNames, runParameters } from "../../pipeline/index/engine.js";
import type { RunParameter } from "../../pipeline/index/index-engine.js";
import {
  Gallery,
  modelOf,
  type GalleryEntry,
  type GalleryFailure,
} from "../../pipeline/gallery/gallery.js";
import { readManifest } from "../../pipeline/gallery/gallery-store.js";
import { withFolderLock } from "../../pipeline/folder-lock.js";
import { protocols, type Protocol } from "../../pipeline/protocol.js";
import { requireReadable } from "../../pipeline/index/factory.js";
import { embedList, type EmbedListOptions, type EmbeddedList } from "../embed-list.js";
import { knownIn, selected } from "../gallery-duplicates.js";
import { whole } from "../options.js";
import { protocolOf } from "../protocol-option.js";
import { bytes, print, printJson, table, visible, warn } from "../terminal.js";
import type { Verb } from "../verb.js";
import { foreignGalleries } from "./gallery-foreign.js";

interface ListOptions extends EmbedListOptions {
  json?: boolean;
}

interface BuildOptions extends ListOptions {
  out: string;
  engine: string;
  index: string;
  protocol: Protocol;
}

export const verb: Verb = {
  build(command) {
    command.description("Build, extend, shrink or describe a gallery; take one in, write one out.");
    foreignGalleries(command);
    withParameters(withList(command.command("build")))
      .description("embed the pictures of a PaddleClas list and index them")
      .requiredOption("--out <folder>", "where to save the gallery")
      .option("--engine <name>", oneOf(engineNames), "faiss")
      .option("--index <factory>", "Flat, IVF, HNSW32, or a Faiss factory string", "HNSW32")
      .option("--protocol <name>", protocols.join(" or "), "standard")
      .action(build);
    withList(command.command("append"))
      .description("embed the pictures of a list and add them")
      .requiredOption("--gallery <folder>", "the gallery")
      .option("--again", "add pictures that the gallery holds already once more")
      .option("--replace", "put pictures that it holds already in the place of what it holds")
      .action(append);
    command
      .command("remove")
      .description("remove entries by label or by picture (HNSW cannot)")
      .requiredOption("--gallery <folder>", "the gallery")
      .option("--label <label...>", "remove all entries with this label")
      .option("--path <path...>", "remove the entries of this picture")
      .option("--json", "machine output")
      .action(remove);
    command
      .command("info")
      .description("what a gallery holds and how it was made")
      .requiredOption("--gallery <folder>", "the gallery")
      .option("--json", "machine output")
      .action(info);
  },
};

function withList(command: Command): Command {
  return command
    .requiredOption(
      "--list <file>",
      "PaddleClas list (path and label on each line), csv with a header, or a folder of classes",
    )
    .option("--images <folder>", "image root of the list's paths (of a folder: that folder)")
    .option(
      "--embedder <card.yaml>",
      "card of the embedding model (append: the one that built the gallery)",
    )
    .option(
      "--embedder-folder <folder>",
      "folder of its model file, where the card is kept apart from it",
    )
    .addOption(new Option("--card <card.yaml>").hideHelp())
    .addOption(new Option("--model-folder <folder>").hideHelp())
    .option("--delimiter <kind>", "tab, space or auto", "auto")
    .option("--workers <n>", "worker threads (default: all cores)")
    .option(
      "--cache <folder>",
      "where embeddings are kept as they come, so that none is made twice (default: " +
        ".cache/observations, or SHITU_CACHE)",
    )
    .option("--json", "machine output");
}

/** `--ef-search` of efSearch. */
function optionOf({ name }: RunParameter): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function withParameters(command: Command): Command {
  for (const parameter of runParameters)
    command.option(`${optionOf(parameter)} <n>`, parameter.what);
  return command;
}

function givenParameters(options: object): Record<string, number> {
  const given = options as Readonly<Record<string, string | undefined>>;
  return Object.fromEntries(
    runParameters.flatMap((parameter) => {
      const text = given[parameter.name];
      return text === undefined ? [] : [[parameter.name, whole(optionOf(parameter), text)]];
    }),
  );
}

async function build(options: BuildOptions): Promise<void> {
  const protocol = protocolOf(options);
  const factory = { engine: options.engine, factory: options.index };
  requireReadable(factory);
  const { settings, embedded } = await embedList(options, protocol, { factory });
  refuseNothing(embedded, options.list);
  const gallery = await Gallery.build(
    {
      ...settings,
      protocol,
      engine: options.engine,
      factory: options.index,
      parameters: givenParameters(options),
    },
    embedded.rows,
    embedded.entries,
  );
  try {
    const manifest = await withFolderLock(options.out, () => gallery.save(options.out));
    report(options, options.out, manifest, embedded.failures, { added: embedded.entries.length });
  } finally {
    gallery.close();
  }
}

interface AppendOptions extends ListOptions {
  readonly gallery: string;
  readonly again?: boolean;
  readonly replace?: boolean;
}

async function append(options: AppendOptions): Promise<void> {
  const { gallery: folder, again = false, replace = false } = options;
  const manifest = await readManifest(folder);
  let known = 0;
  const { settings, embedded } = await embedList(options, manifest.protocol, {
    model: modelOf(folder, manifest),
    async choose(model, all) {
      // All that can be refused is, before anything is embedded.
      const before = await Gallery.load(folder, model);
      const isKnown = knownIn(before.rows);
      before.close();
      const left = again || replace ? all : all.filter((entry) => !isKnown(entry));
      known = all.length - left.length;
      return left;
    },
  });
  refuseNothing(embedded, options.list);
  // Read after locking: what another append saved meanwhile stays.
  await withFolderLock(folder, async () => {
    const gallery = await Gallery.load(folder, settings.model);
    try {
      const isNew = again || replace ? () => true : not(knownIn(gallery.rows));
      const { rows, entries } = selected(embedded, isNew);
      const isReplaced = knownIn(
        entries.map(({ path, label, content }) => ({
          id: 0,
          path,
          label,
          ...(content !== undefined && { content }),
        })),
      );
      const gone = replace && !again ? await gallery.remove(isReplaced) : [];
      await gallery.append(rows, entries);
      known += embedded.entries.length - entries.length;
      if (known > 0)
        warn(`${known} pictures are in the gallery already: left out (--replace or --again)`);
      const changed = entries.length > 0;
      const saved = changed ? await gallery.save(folder) : await readManifest(folder);
      report(options, folder, saved, embedded.failures, {
        added: entries.length,
        ...(known > 0 && { known }),
        ...(replace && { replaced: gone.length }),
      });
    } finally {
      gallery.close();
    }
  });
}

const not =
  (is: (entry: GalleryEntry) => boolean) =>
  (entry: GalleryEntry): boolean =>
    !is(entry);

/** Where nothing is left, the reasons are: how many for each, with an example. */
function refuseNothing({ entries, failures }: EmbeddedList, list: string): void {
  if (entries.length > 0 || failures.length === 0) return;
  const byCode = new Map<string, GalleryFailure[]>();
  for (const failure of failures) {
    const { code } = failure.complaint;
    byCode.set(code, [...(byCode.get(code) ?? []), failure]);
  }
  const reasons = [...byCode.values()].map(
    (of) =>
      `${of.length} of ${failures.length} left out: ${of[0]!.complaint.message} (${of[0]!.path})`,
  );
  throw new UserError({
    code: "gallery-empty",
    message: "no picture of the list could be used",
    file: list,
    found: reasons.join("; "),
    fix: "mend these pictures or paths, or look at the model with shitu inspect",
  });
}

async function remove(options: {
  gallery: string;
  label?: string[];
  path?: string[];
  json?: boolean;
}): Promise<void> {
  const labels = new Set(options.label ?? []);
  const paths = new Set(options.path ?? []);
  if (labels.size + paths.size === 0)
    throw new UserError({
      code: "nothing-to-remove",
      message: "say what to remove",
      fix: "give --label or --path",
    });
  await readManifest(options.gallery); // no lock, and no folder, where there is no gallery
  await withFolderLock(options.gallery, () => removeFrom(options, labels, paths));
}

async function removeFrom(
  options: { gallery: string; json?: boolean },
  labels: ReadonlySet<string>,
  paths: ReadonlySet<string>,
): Promise<void> {
  const gallery = await Gallery.load(options.gallery);
  try {
    const gone = await gallery.remove((row) => labels.has(row.label) || paths.has(row.path));
    for (const label of labels)
      if (!gone.some((r) => r.label === label)) warn(`no entry with the label ${label}`);
    for (const path of paths)
      if (!gone.some((r) => r.path === path)) warn(`no entry for the picture ${path}`);
    const manifest =
      gone.length > 0 ? await gallery.save(options.gallery) : await readManifest(options.gallery);
    report(options, options.gallery, manifest, [], { removed: gone.length });
  } finally {
    gallery.close();
  }
}

async function info(options: { gallery: string; json?: boolean }): Promise<void> {
  const manifest = await readManifest(options.gallery);
  const gallery = await Gallery.load(options.gallery);
  const labels = gallery.labels.length;
  gallery.close();
  if (options.json) {
    printJson({ ...manifest, labels });
    return;
  }
  print(
    table(
      [{ head: "property" }, { head: "value" }],
      [
        ["entries", manifest.count],
        ["labels", labels],
        ["model", `${manifest.model.id} (${manifest.model.version.slice(0, 12)})`],
        [
          "vectors",
          `${manifest.dim} ${manifest.kind === "real" ? "floats" : "bits"}, ${manifest.metric}`,
        ],
        ["index", `${manifest.factory} (${manifest.engine} ${manifest.engineVersion})`],
        [
          "parameters",
          Object.entries(manifest.parameters)
            .map(([k, v]) => `${k} ${v}`)
            .join(", ") || "-",
        ],
        ["protocol", manifest.protocol],
        ["index size", bytes(manifest.index.bytes)],
      ],
    ),
  );
}

function report(
  options: { json?: boolean },
  folder: string,
  manifest: Awaited<ReturnType<Gallery["save"]>>,
  failures: readonly GalleryFailure[],
  did: Record<string, number>,
): void {
  if (options.json) {
    printJson({
      gallery: folder,
      ...did,
      count: manifest.count,
      indexBytes: manifest.index.bytes,
      factory: manifest.factory,
      failures: failures.map((f) => ({ path: f.path, ...f.complaint })),
    });
    return;
  }
  for (const { path, complaint } of failures.slice(0, 10))
    warn(`left out ${path}: ${complaint.message}`);
  if (failures.length > 10) warn(`left out ${failures.length - 10} more; --json names them all`);
  const deeds = Object.entries(did)
    .map(([verbed, n]) => `${verbed} ${n}`)
    .join(", ");
  print(
    `${visible(folder)}: ${deeds}, left out ${failures.length}, holds ${manifest.count} entries, ` +
      `${manifest.factory}, ${bytes(manifest.index.bytes)}`,
  );
}
