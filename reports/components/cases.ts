import { FileAttachment } from "observablehq:stdlib";
import * as aq from "npm:arquero";
import { tableFromIPC } from "npm:@uwdata/flechette";

/**
 * The cases of the records, loaded when a page first asks: one light row a case, and the full rows
 * of those that are shown.
 */

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

type Column = unknown[] | { readonly values: readonly unknown[]; readonly at: readonly number[] };
let columns: Promise<Record<keyof Detail, Column>> | undefined;

/**
 * The rows of one record that have neighbours and boxes. Only those are put together: the file
 * holds all records'.
 */
export async function details(record: string): Promise<Detail[]> {
  columns ??= FileAttachment("../data/details.json").json() as Promise<
    Record<keyof Detail, Column>
  >;
  const held = await columns;
  const at = (column: Column, i: number): unknown =>
    Array.isArray(column)
      ? column[i]
      : (column as Exclude<Column, unknown[]>).values[
          (column as Exclude<Column, unknown[]>).at[i]!
        ];
  const { values, at: places } = held.record as Exclude<Column, unknown[]>;
  const wanted = values.indexOf(record);
  const names = Object.keys(held) as (keyof Detail)[];
  return places.flatMap((place, i) =>
    place === wanted
      ? [Object.fromEntries(names.map((name) => [name, at(held[name], i)])) as unknown as Detail]
      : [],
  );
}

let loaded: Promise<Map<string, Uint8Array>> | undefined;

/**
 * An object URL for a picture of the first of the sets that has it, or null where the site holds no
 * such picture.
 */
export async function pictureUrl(
  sets: readonly string[],
  picture: string | null,
): Promise<string | null> {
  if (picture === null) return null;
  loaded ??= FileAttachment("../data/pictures.arrow")
    .arrayBuffer()
    .then((bytes) => {
      const table = tableFromIPC(bytes).toColumns() as unknown as {
        key: string[];
        webp: Uint8Array[];
      };
      return new Map(table.key.map((key, i) => [key, table.webp[i]!]));
    });
  const pictures = await loaded;
  const webp = sets
    .map((set) => pictures.get(`${set}/${picture}`))
    .find((found) => found !== undefined);
  if (webp === undefined) return null;
  return URL.createObjectURL(new Blob([webp as Uint8Array<ArrayBuffer>], { type: "image/webp" }));
}
