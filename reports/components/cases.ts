import { FileAttachment } from "observablehq:stdlib";
import * as aq from "npm:arquero";
import { tableFromIPC } from "npm:@uwdata/flechette";

/** The cases of the records, loaded when a page first asks: one light row a case, and the full rows of those that are shown. */

export interface Detail {
  readonly record: string;
  readonly cell: string;
  readonly dataset: string;
  readonly item: string;
  readonly image: string | null;
  readonly outcome: string;
  readonly truth: string | null;
  readonly prediction: string | null;
  readonly score: number | null;
  readonly rank: number | null;
  readonly neighbours: readonly (readonly [string, number, string | null])[];
  readonly boxes: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly lostAt: string | null;
}

export async function outcomes(): Promise<aq.ColumnTable> {
  return aq.fromArrow(await FileAttachment("../data/outcomes.arrow").arrayBuffer());
}

/** Rows with neighbours and boxes, by `record`. */
export async function details(): Promise<Detail[]> {
  const coded = (await FileAttachment("../data/details.json").json()) as Record<keyof Detail, unknown[] | { values: unknown[]; at: number[] }>;
  const columns = Object.entries(coded).map(([name, column]) => [name, Array.isArray(column) ? column : column.at.map((i) => column.values[i])] as const);
  return (columns[0]?.[1] ?? []).map((_, i) => Object.fromEntries(columns.map(([name, column]) => [name, column[i]])) as unknown as Detail);
}

let loaded: Promise<Map<string, Uint8Array>> | undefined;

/** An object URL for `data set/picture`, or null where the site holds no such picture. */
export async function pictureUrl(dataset: string, picture: string | null): Promise<string | null> {
  if (picture === null) return null;
  loaded ??= FileAttachment("../data/pictures.arrow").arrayBuffer().then((bytes) => {
    const table = tableFromIPC(bytes).toColumns() as unknown as { key: string[]; webp: Uint8Array[] };
    return new Map(table.key.map((key, i) => [key, table.webp[i]!]));
  });
  const webp = (await loaded).get(`${dataset}/${picture}`);
  if (webp === undefined) return null;
  return URL.createObjectURL(new Blob([webp as Uint8Array<ArrayBuffer>], { type: "image/webp" }));
}
