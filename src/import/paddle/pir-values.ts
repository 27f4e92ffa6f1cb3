import type { DType } from "../../pipeline/onnx/read-tensor.js";
import type { AttributeValue, Variable } from "./program.js";
import type { Signature } from "./signature.js";

/** Attributes and types as PIR's JSON has them: `A: [{N: name, AT: {"#": type, D: value}}]`. */

interface RawAttribute {
  readonly N?: string;
  readonly AT?: RawValue;
}

interface RawValue {
  readonly "#": string;
  readonly D?: unknown;
}

export interface RawType {
  readonly "#": string;
  readonly D?: readonly unknown[];
}

export function attributesOf(raws: readonly unknown[] | undefined): Map<string, AttributeValue> {
  const attributes = new Map<string, AttributeValue>();
  for (const raw of (raws ?? []) as readonly RawAttribute[]) {
    const value = raw.AT === undefined ? undefined : valueOf(raw.AT);
    if (raw.N !== undefined && value !== undefined) attributes.set(raw.N, value);
  }
  return attributes;
}

export function renamed(
  attributes: Map<string, AttributeValue>,
  { renames }: Signature,
): Map<string, AttributeValue> {
  return new Map([...attributes].map(([name, value]) => [renames[name] ?? name, value]));
}

/** An attribute's value; types that no operator of ours needs are left out. */
function valueOf({ "#": type, D }: RawValue): AttributeValue | undefined {
  if (typeof D === "number" || typeof D === "boolean" || typeof D === "string") return D;
  if (!Array.isArray(D)) return undefined;
  if (type.endsWith("a_place")) return undefined;
  const items = D.map((item: unknown) =>
    typeof item === "object" && item !== null ? (item as RawValue).D : item,
  );
  return items as unknown as AttributeValue;
}

export function constantOf(
  name: string,
  attributes: ReadonlyMap<string, AttributeValue>,
): AttributeValue | undefined {
  if (name !== "full" && name !== "full_int_array") return undefined;
  const shape = attributes.get("shape");
  const one = !Array.isArray(shape) || shape.every((d) => d === 1);
  return one ? attributes.get("value") : undefined;
}

const elementTypes: Readonly<Record<string, DType>> = {
  t_bool: "bool",
  t_i8: "int8",
  t_ui8: "uint8",
  t_i16: "int16",
  t_i32: "int32",
  t_i64: "int64",
  t_f16: "float16",
  t_bf16: "bfloat16",
  t_f32: "float32",
  t_f64: "float64",
};

export function tensorType(name: string, type: RawType | undefined): Variable {
  const tensor = type?.["#"].endsWith("t_dtensor") ? (type.D ?? []) : [];
  const element = (tensor[0] as RawType | undefined)?.["#"].replace(/^\d+\./, "") ?? "";
  const shape = Array.isArray(tensor[1]) ? (tensor[1] as number[]) : null;
  return { name, dtype: elementTypes[element] ?? null, shape, persistable: false };
}
