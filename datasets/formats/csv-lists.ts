import { dirname, join } from "node:path";
import { UserError } from "../../src/pipeline/errors.js";
import { readCsv, readLandmarks } from "./csv.js";
import type { ListRow } from "./paddleclas-list.js";
import { readLines, type Line } from "./text-lines.js";

/** Lists that releases have as csv files, told by their header. */
const readers: Readonly<Record<string, (file: string) => Promise<ListRow[]>>> = {
  "name,class,group": readProducts,
  "landmark_id,images": readLandmarks,
  "ImageId,PredictionString": readImagenet,
};

/** The reader of a csv list by its header line, or undefined. */
export function csvListReader([header]: readonly Line[]):
  ((file: string) => Promise<ListRow[]>) | undefined {
  const text = header?.text.replace(/\s*,\s*/g, ",") ?? "";
  return Object.hasOwn(readers, text) ? readers[text] : undefined;
}

/** Products-10k's `train.csv` and `test_kaggletest.csv`: label = class. */
async function readProducts(file: string): Promise<ListRow[]> {
  const records = await readCsv(file, ["name", "class"]);
  return records.map(({ line, values }) => ({ path: values.name, label: values.class, line }));
}

/**
 * ImageNet's `LOC_val_solution.csv`: a picture, then its synset and boxes. Label = the synset's
 * line in `LOC_synset_mapping.txt` beside it, from 0: the order of the synsets, which models have.
 *
 * @throws UserError `csv-line` where the synset is not there.
 */
async function readImagenet(file: string): Promise<ListRow[]> {
  const mapping = join(dirname(file), "LOC_synset_mapping.txt");
  const synsets = (await readLines(mapping, "list-encoding")).map((l) => l.text.split(" ")[0]!);
  const classes = new Map([...synsets].sort().map((synset, i) => [synset, String(i)]));
  const records = await readCsv(file, ["ImageId", "PredictionString"]);
  return records.map(({ line, values }) => {
    const synset = values.PredictionString.split(" ")[0]!;
    const label = classes.get(synset);
    if (label === undefined)
      throw new UserError({
        code: "csv-line",
        message: "no such synset in LOC_synset_mapping.txt",
        file,
        path: `line ${line}`,
        expected: `one of ${classes.size} synsets`,
        found: synset.slice(0, 40),
        fix: "take both files from the same release",
      });
    return { path: `${values.ImageId}.JPEG`, label, line };
  });
}
