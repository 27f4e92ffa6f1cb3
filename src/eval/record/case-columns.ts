import { Type, type DataType, type FixedSizeListType, type ListType } from "@uwdata/flechette";

/**
 * The door of `cases.arrow`: Arrow is typed, so that the columns' types say what every row holds.
 */

interface Field {
  readonly name: string;
  readonly type: DataType;
}

/** What a column holds: a text, a number, rows, or fields. */
type Shape = "text" | "number" | readonly [Fields] | Fields;
interface Fields {
  readonly [name: string]: Shape;
}

const neighbours = [{ entry: "text", score: "number" }] as const;
const corners = { x0: "number", y0: "number", x1: "number", y1: "number" } as const;
const nested: Readonly<Record<string, Shape>> = {
  neighbours,
  boxes: {
    truth: [{ ...corners, label: "text", stage: "text" }],
    found: [{ ...corners, score: "number", label: "text", fate: "text", neighbours }],
  },
  // Any stages: each is a field of numbers.
  stageMs: {},
};
const numbers = new Set(["score", "rank", "width", "height"]);
/** Fields that a file leaves out where no row has them. */
const optional = new Set(["label", "stage", "neighbours"]);

/**
 * Checks that the columns are those of cases.
 *
 * @returns "json" where neighbours, boxes and times are texts, as records once held them
 * @throws Error naming the column that is missing or holds something else
 */
export function checkColumns(fields: readonly Field[], names: readonly string[]): "typed" | "json" {
  const types = new Map(fields.map(({ name, type }) => [name, type]));
  let form: "typed" | "json" = "typed";
  for (const name of names) {
    const type = types.get(name);
    if (type === undefined) throw new Error(`it has no column "${name}"`);
    if (name in nested && isText(type)) form = "json";
    else if (!fits(type, nested[name] ?? (numbers.has(name) ? "number" : "text")))
      throw new Error(`its column "${name}" is not of the type that cases have`);
  }
  return form;
}

function fits(type: DataType, shape: Shape): boolean {
  if (type.typeId === Type.Null) return true;
  if (shape === "text") return isText(type);
  if (shape === "number") return type.typeId === Type.Int || type.typeId === Type.Float;
  if (shape instanceof Array) return isList(type) && fits(type.children[0].type, shape[0]);
  return type.typeId === Type.Struct && fieldsFit(type.children, shape as Fields);
}

function fieldsFit(children: readonly Field[], fields: Fields): boolean {
  const types = new Map(children.map(({ name, type }) => [name, type]));
  const expected = Object.entries(fields);
  if (expected.length === 0) return children.every(({ type }) => fits(type, "number"));
  // No field at all: rows there are none.
  return (
    children.length === 0 ||
    expected.every(([name, shape]) => {
      const type = types.get(name);
      return type === undefined ? optional.has(name) : fits(type, shape);
    })
  );
}

const isText = (type: DataType): boolean =>
  type.typeId === Type.Utf8 ||
  (type.typeId === Type.Dictionary && type.dictionary.typeId === Type.Utf8);

const isList = (type: DataType): type is ListType | FixedSizeListType =>
  type.typeId === Type.List || type.typeId === Type.FixedSizeList;
