import type { Rule } from "./node-view.js";
import { shaped } from "./broadcast.js";
import {
  elementsOf,
  fixed,
  fromFront,
  squeezed,
  unsqueezed,
  type Dim,
  type Shape,
} from "./values.js";

/** Shapes of what joins, cuts and rearranges: ONNX's Operators.md, one rule an operator. */

export const concat: Rule = (at) => {
  const shapes = at.node.inputs.map((_, slot) => at.shape(slot));
  const first = shapes[0] ?? null;
  const { dtype } = at.type(0);
  if (!first || shapes.some((s) => s === null)) return shaped(dtype, null);
  const axis = fromFront(at.int("axis", 0), first.length);
  const sizes = shapes.map((s) => s![axis] ?? null);
  const sum = sizes.every((d) => typeof d === "number")
    ? sizes.reduce<number>((total, d) => total + (d as number), 0)
    : null;
  return shaped(
    dtype,
    first.map((d, i) =>
      i === axis ? sum : (shapes.map((s) => s![i]).find(isNumber) ?? d ?? null),
    ),
  );
};

export function isNumber(dim: Dim | undefined): dim is number {
  return typeof dim === "number";
}

export const split: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const axis = shape ? fromFront(at.int("axis", 0), shape.length) : 0;
  const sizes = at.numbers(1);
  const whole = shape?.[axis];
  const count = at.node.outputs.length;
  return at.node.outputs.map((_, part) => {
    const even = isNumber(whole) ? Math.ceil(whole / count) : null;
    const size = sizes?.[part] ?? even;
    return { dtype, shape: shape?.map((d, i) => (i === axis ? size : d)) ?? null };
  });
};

export const slice: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  if (!shape) return shaped(dtype, null);
  const starts = at.contents(1);
  const ends = at.contents(2);
  const axes = at.numbers(3) ?? shape.map((_, i) => i);
  const steps = at.numbers(4);
  const out = [...shape];
  for (const [place, axis] of axes.entries()) {
    const i = fromFront(axis, shape.length);
    out[i] = sliced(shape[i]!, starts?.[place], ends?.[place], steps?.[place] ?? 1);
  }
  return shaped(dtype, out);
};

function sliced(size: Dim, start: Dim | undefined, end: Dim | undefined, step: number): Dim {
  if (!isNumber(start)) return null;
  if (start === 0 && step === 1 && end !== undefined && end === size) return size;
  if (!isNumber(size)) {
    if (start === 0 && isNumber(end) && end >= 2 ** 31 - 1) return size;
    return isNumber(end) && start >= 0 && end === start + 1 ? 1 : null;
  }
  if (!isNumber(end)) return null;
  return sliceLength(size, start, end, step);
}

/** How many elements a slice takes, as ONNX and numpy clamp its ends. */
export function sliceLength(size: number, start: number, end: number, step: number): number {
  const least = step > 0 ? 0 : -1;
  const most = step > 0 ? size : size - 1;
  const clamp = (n: number): number => Math.min(most, Math.max(least, n < 0 ? n + size : n));
  return Math.max(0, Math.ceil((clamp(end) - clamp(start)) / step));
}

export const reshape: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const wanted = at.contents(1);
  if (!wanted) {
    const rank = at.shape(1)?.[0];
    return shaped(dtype, isNumber(rank) ? Array<Dim>(rank).fill(null) : null);
  }
  const kept = wanted.map((d, i) =>
    d === 0 && at.int("allowzero", 0) === 0 ? (shape?.[i] ?? null) : d,
  );
  const open = kept.filter((d) => !(isNumber(d) && d >= 0));
  if (open.length !== 1 || open[0] !== -1) {
    return shaped(
      dtype,
      kept.map((d) => (d === -1 ? null : d)),
    );
  }
  const sizes = kept.filter((d): d is number => isNumber(d) && d >= 0);
  const rest = remaining(shape, kept, elementsOf(sizes));
  return shaped(
    dtype,
    kept.map((d) => (d === -1 ? rest : d)),
  );
};

/** What -1 stands for, also where the only open size is kept in its place. */
function remaining(shape: Shape | null, kept: readonly Dim[], taken: number): Dim {
  const all = fixed(shape);
  if (all) return taken === 0 ? 0 : elementsOf(all) / taken;
  if (!shape) return null;
  const open = shape.filter((d) => !isNumber(d));
  const numbers = elementsOf(shape.filter(isNumber));
  if (open.length === 1 && kept.indexOf(-1) === shape.indexOf(open[0]!) && numbers === taken) {
    return open[0]!;
  }
  return null;
}

export const transpose: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const order = at.ints("perm") ?? shape?.map((_, i) => shape.length - 1 - i) ?? [];
  return shaped(dtype, shape && order.map((i) => shape[i] ?? null));
};

export const squeeze: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const axes = at.numbers(1);
  return shaped(dtype, shape && axes && squeezed(shape, axes));
};

export const unsqueeze: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const axes = at.numbers(1);
  return shaped(dtype, shape && axes && unsqueezed<Dim>(shape, axes));
};

export const gather: Rule = (at) => {
  const { dtype, shape } = at.type(0);
  const indices = at.shape(1);
  if (!shape || !indices) return shaped(dtype, null);
  const axis = fromFront(at.int("axis", 0), shape.length);
  return shaped(dtype, [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)]);
};
