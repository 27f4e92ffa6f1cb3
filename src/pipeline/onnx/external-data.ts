import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import { UserError } from "../errors.js";
import {
  bytesField,
  concatBytes,
  fields,
  integer,
  message,
  sameField,
  text,
  type Field,
} from "./wire.js";

/**
 * Takes in the weights that a model keeps in other files (ONNX's "external data", what PyTorch's
 * present exporter writes), so that its bytes are the whole model: what is hashed, checked and run
 * covers every file. Places are those of onnx's `external_data_helper.py`.
 *
 * @param file the model: the other files lie in its folder, or below.
 * @throws UserError `onnx-external-data` where a file is missing, too short or elsewhere, or where
 * the whole is beyond Protocol Buffers' 2 GiB.
 */
export function withExternalData(bytes: Uint8Array, file: string): Uint8Array {
  const reader = new Weights(file);
  const rewritten = rewrite(bytes, { 7: (graph) => reader.graph(graph) });
  if (rewritten.length > largest)
    throw reader.refuse("", "2 GiB at most, all files together", `${rewritten.length} bytes`);
  return rewritten;
}

const largest = 2 ** 31 - 1;

/** A message with some of its nested messages, by field number, written anew. */
function rewrite(
  bytes: Uint8Array,
  nested: Readonly<Record<number, (bytes: Uint8Array) => Uint8Array>>,
): Uint8Array {
  const part = (field: Field): Uint8Array => {
    const change = nested[field.number];
    return change ? bytesField(field.number, change(message(field))) : sameField(field);
  };
  return concatBytes([...fields(bytes)].map(part));
}

/** Of GraphProto, NodeProto and AttributeProto the fields that may hold a tensor. */
class Weights {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  graph(bytes: Uint8Array): Uint8Array {
    return rewrite(bytes, { 1: (node) => this.#node(node), 5: (t) => this.#tensor(t) });
  }

  #node(bytes: Uint8Array): Uint8Array {
    return rewrite(bytes, { 5: (attribute) => this.#attribute(attribute) });
  }

  #attribute(bytes: Uint8Array): Uint8Array {
    const tensor = (t: Uint8Array): Uint8Array => this.#tensor(t);
    const graph = (g: Uint8Array): Uint8Array => this.graph(g);
    return rewrite(bytes, { 5: tensor, 6: graph, 10: tensor, 11: graph });
  }

  #tensor(bytes: Uint8Array): Uint8Array {
    const all = [...fields(bytes)];
    if (!all.some((f) => f.number === 14 && integer(f) === 1)) return bytes;
    const place = new Map(all.filter((f) => f.number === 13).map((f) => entryOf(message(f))));
    const name = all.find((f) => f.number === 8);
    const kept = all.filter((f) => ![9, 13, 14].includes(f.number)).map(sameField);
    const contents = this.#read(place, name ? text(name) : "");
    return concatBytes([...kept, bytesField(9, contents)]);
  }

  #read(place: ReadonlyMap<string, string>, tensor: string): Uint8Array {
    const location = place.get("location") ?? "";
    const path = this.#placed(location, tensor);
    const handle = openSync(path, "r");
    try {
      const { size } = statSync(path);
      const offset = Number(place.get("offset") ?? 0);
      const length = Number(place.get("length") ?? size - offset);
      const whole = [offset, length].every((n) => Number.isSafeInteger(n) && n >= 0);
      if (!whole || offset + length > size) {
        const expected = `${length} bytes from ${offset} of ${location}`;
        throw this.refuse(tensor, expected, `a file of ${size} bytes`);
      }
      const contents = new Uint8Array(length);
      for (let at = 0; at < length;) at += readSync(handle, contents, at, length - at, offset + at);
      return contents;
    } finally {
      closeSync(handle);
    }
  }

  /** The real path of a file that must lie in the model's folder, links followed. */
  #placed(location: string, tensor: string): string {
    const folder = realpathSync(dirname(this.#file));
    let path: string;
    try {
      path = realpathSync(join(folder, location));
    } catch {
      throw this.refuse(tensor, "a file beside the model", `no file ${location}`);
    }
    const way = relative(folder, path);
    const outside = isAbsolute(location) || way.startsWith("..") || isAbsolute(way);
    if (location === "" || outside || !statSync(path).isFile())
      throw this.refuse(tensor, "a file in the model's folder", location || "no location");
    return path;
  }

  refuse(path: string, expected: string, found: string): UserError {
    return new UserError({
      code: "onnx-external-data",
      message: "keeps weights in another file that cannot be used",
      file: this.#file,
      ...(path !== "" && { path }),
      expected,
      found,
      fix:
        "put its data files beside it, or save it in one file: onnx.save_model(onnx.load(PATH), " +
        "OTHER_PATH, save_as_external_data=False)",
    });
  }
}

/** StringStringEntryProto. */
function entryOf(bytes: Uint8Array): [string, string] {
  let [key, value] = ["", ""];
  for (const field of fields(bytes)) {
    if (field.number === 1) key = text(field);
    else if (field.number === 2) value = text(field);
  }
  return [key, value];
}
