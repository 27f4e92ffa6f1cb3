import { codeFindings } from "../../../datasets/formats/code-bits.js";
import { lintLists, type Finding } from "../../../datasets/formats/list-linter.js";
import type { ImageList } from "../../../datasets/formats/paddleclas-list.js";
import { readListPart } from "../../../datasets/formats/released-list.js";
import { readCodes, readVectors } from "../../../datasets/formats/vector-file.js";
import { requireFit } from "../../eval/observe/feature-rows.js";
import { UserError } from "../../pipeline/errors.js";
import { binarise } from "../../pipeline/index/binarise.js";
import { ExitCode } from "../exit-code.js";
import { choice } from "../options.js";
import { pictureProblem } from "../picture-problem.js";
import { progressBar } from "../progress.js";
import { colour, print, printJson, visible } from "../terminal.js";
import type { Verb } from "../verb.js";

interface Options {
  readonly galleryList: string;
  readonly queryList?: string;
  readonly trainList?: string;
  readonly gallery?: string;
  readonly binary?: string;
  readonly images?: string;
  readonly decode?: true;
  readonly columns: string;
  readonly delimiter: string;
  readonly json?: true;
}

export const verb: Verb = {
  build(command) {
    command
      .description(
        "Look for what makes a number from these lists misleading: queries that find " +
          "themselves, leakage, doubles, pictures that are not there. Exit code 1 where there " +
          "is an error among it.",
      )
      .requiredOption(
        "--gallery-list <file>",
        "PaddleClas list, or the original list of SOP or In-shop",
      )
      .option(
        "--query-list <file>",
        "list of the queries; without it the gallery is meant to be searched with itself",
      )
      .option("--train-list <file>", "training list, to look for pictures that were trained on")
      .option("--gallery <file>", "features or codes of the gallery list: look at the bits")
      .option(
        "--binary <form>",
        "of --gallery: sign or round binarises features, packed reads codes",
        "sign",
      )
      .option("--images <folder>", "image root: look whether each listed picture is there")
      .option("--decode", "decode each of them, too")
      .option("--columns <n>", "columns of the lists: 2, 3 or auto", "auto")
      .option("--delimiter <name>", "delimiter of the lists: tab, space or auto", "auto")
      .option("--json", "print one JSON document")
      .action((options: Options) => run(options));
  },
};

async function run(options: Options): Promise<void> {
  const { images } = options;
  if (options.decode && images === undefined)
    throw new UserError({
      code: "bad-option",
      message: "--decode needs to know where the pictures are",
      expected: "--images <folder>",
      found: "no --images",
      fix: "give the image root",
    });
  const columns = choice("--columns", options.columns, ["auto", "2", "3"]);
  const form = {
    columns: columns === "auto" ? "auto" : columns === "2" ? 2 : 3,
    delimiter: choice("--delimiter", options.delimiter, ["auto", "tab", "space"]),
  } as const;
  const gallery = await readListPart(options.galleryList, "gallery", form);
  const query =
    options.queryList === undefined
      ? undefined
      : await readListPart(options.queryList, "query", form);
  const train =
    options.trainList === undefined
      ? undefined
      : await readListPart(options.trainList, "train", form);
  const total = gallery.rows.length + (query?.rows.length ?? 0);
  const bar = progressBar("looking at pictures");
  let looked = 0;
  const findings = await lintLists({
    gallery,
    ...(query && { query }),
    ...(train && { train }),
    ...(images !== undefined && {
      problemOf: async ({ path }) => {
        bar.report(++looked, total);
        return pictureProblem(images, path, { decoded: options.decode ?? false });
      },
    }),
  }).finally(() => {
    bar.stop();
  });
  const shape = (list: typeof gallery) => ({
    file: list.file,
    pictures: list.rows.length,
    labels: new Set(list.rows.map((r) => r.label)).size,
    columns: list.columns,
    delimiter: list.delimiter,
  });
  if (options.gallery !== undefined)
    findings.push(...(await bitFindings(options.gallery, options.binary ?? "sign", gallery)));
  if (options.json)
    printJson({
      gallery: shape(gallery),
      query: query ? shape(query) : null,
      train: train ? shape(train) : null,
      findings,
    });
  else {
    for (const [name, list] of [
      ["gallery", gallery],
      ["query", query],
      ["train", train],
    ] as const) {
      if (!list) continue;
      const s = shape(list);
      print(
        `${name}: ${visible(s.file)}: ${s.pictures.toLocaleString("en")} pictures, ` +
          `${s.labels.toLocaleString("en")} labels, ${s.columns} columns, separated by ` +
          `${s.delimiter}s`,
      );
    }
    print(
      findings.length === 0
        ? "\nnothing to complain about"
        : `\n${findings.map(paragraph).join("\n\n")}`,
    );
  }
  if (findings.some((f) => f.severity === "error")) process.exitCode = ExitCode.belowBar;
}

async function bitFindings(file: string, form: string, list: ImageList): Promise<Finding[]> {
  const rule = choice("--binary", form, ["sign", "round", "packed"]);
  const rows = rule === "packed" ? await readCodes(file) : await readVectors(file);
  requireFit(file, rows, list);
  if ("bits" in rows) return codeFindings(rows, file);
  const codes = binarise(rows.data, rows.dim, rule as "sign" | "round");
  return "nanRow" in codes ? [] : codeFindings(codes, file);
}

function paragraph({ severity, code, file, message, examples, count, fix }: Finding): string {
  const paint = { error: colour.red, warning: colour.yellow, note: colour.cyan }[severity];
  const more =
    count > examples.length ? [`  and ${(count - examples.length).toLocaleString("en")} more`] : [];
  return [
    `${paint(severity)} ${code}: ${visible(file)}: ${visible(message)}`,
    ...examples.map((e) => `  ${visible(e)}`),
    ...more,
    `  fix: ${visible(fix)}`,
  ].join("\n");
}
