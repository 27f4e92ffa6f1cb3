import { loadAddon } from "../../../native/load.js";
import { oneOf, UserError } from "../errors.js";
import { type Patch, resizeRows } from "./resize-rows.js";
import { resizeTaps } from "./resize-taps.js";
import type { Interpolation } from "../types.js";

/** How the values of a resized picture are written as floats. */
export interface TensorFormat {
  /**
   * 256 floats for each channel of the tensor, in the tensor's channel order: what each 8-bit value
   * becomes.
   */
  readonly table: Float32Array;
  /** Whether the tensor's first channel is blue. */
  readonly reversed: boolean;
  /** Whether a pixel's channels lie side by side (HWC); otherwise plane after plane (CHW). */
  readonly interleaved: boolean;
}

/**
 * A resize in one pass. Both kernels give the same bits. `out` has room for `width * height * 3`
 * values from `at` on.
 */
export interface ResizeKernel {
  toBytes(
    patch: Patch,
    width: number,
    height: number,
    interpolation: Interpolation,
    out: Uint8Array,
  ): void;
  toTensor(
    patch: Patch,
    width: number,
    height: number,
    interpolation: Interpolation,
    format: TensorFormat,
    out: Float32Array,
    at: number,
  ): void;
}

export type KernelName = "native" | "typescript";

/** The plain kernel: the oracle of the native one, and what runs where the addon is missing. */
const typescriptKernel: ResizeKernel = {
  toBytes(patch, width, height, interpolation, out) {
    resizeRows(patch, width, height, interpolation, (row, y) => out.set(row, y * row.length));
  },
  toTensor(patch, width, height, interpolation, { table, reversed, interleaved }, out, at) {
    const pixelStep = interleaved ? 3 : 1;
    const channelStep = interleaved ? 1 : width * height;
    resizeRows(patch, width, height, interpolation, (row, y) => {
      for (let channel = 0; channel < 3; channel++) {
        const from = reversed ? 2 - channel : channel;
        let to = at + y * width * pixelStep + channel * channelStep;
        for (let lane = from; lane < row.length; lane += 3, to += pixelStep)
          out[to] = table[channel * 256 + row[lane]!]!;
      }
    });
  },
};

/**
 * The kernel of native/resize.cc. Taps are computed here, so that both kernels share one source of
 * positions and weights.
 */
function openNativeKernel(): ResizeKernel {
  const { resizeToBytes, resizeToTensor } = loadAddon();
  if (!resizeToBytes || !resizeToTensor)
    throw new Error("the addon was built without its resize kernel");
  const passes = (patch: Patch, width: number, height: number, interpolation: Interpolation) =>
    [
      resizeTaps(patch.width, width, interpolation, true),
      resizeTaps(patch.height, height, interpolation, false),
    ] as const;
  return {
    toBytes(patch, width, height, interpolation, out) {
      const [across, down] = passes(patch, width, height, interpolation);
      const { data, offset, stride } = patch;
      resizeToBytes(
        data,
        offset,
        stride,
        patch.width,
        patch.height,
        width,
        height,
        across.first,
        across.weights,
        down.first,
        down.weights,
        out,
      );
    },
    toTensor(patch, width, height, interpolation, { table, reversed, interleaved }, out, at) {
      const [across, down] = passes(patch, width, height, interpolation);
      const { data, offset, stride } = patch;
      resizeToTensor(
        data,
        offset,
        stride,
        patch.width,
        patch.height,
        width,
        height,
        across.first,
        across.weights,
        down.first,
        down.weights,
        table,
        reversed,
        interleaved,
        out,
        at,
      );
    },
  };
}

interface Choice {
  readonly name: KernelName;
  readonly kernel: ResizeKernel;
}

let choice: Choice | undefined;

/**
 * The kernel in use: the addon's where it can be loaded, unless SHITU_PREPROCESSING or
 * `usePreprocessingKernel` says otherwise.
 */
export function resizeKernel(): ResizeKernel {
  return (choice ??= choose(fromEnvironment())).kernel;
}

/** Which kernel resizes pictures in this thread. */
export function preprocessingKernel(): KernelName {
  return (choice ??= choose(fromEnvironment())).name;
}

/**
 * Forces a kernel in this thread; `automatic` goes back to what the environment variable
 * SHITU_PREPROCESSING says (it takes the same names, and other threads follow it), else to the
 * addon's where it can be loaded.
 *
 * @throws UserError `addon-missing` where `native` is asked for and the addon cannot be loaded.
 */
export function usePreprocessingKernel(name: KernelName | "automatic"): void {
  choice = name === "automatic" ? undefined : choose(name);
}

function choose(name: KernelName | "automatic"): Choice {
  if (name === "typescript") return { name, kernel: typescriptKernel };
  try {
    return { name: "native", kernel: openNativeKernel() };
  } catch (error) {
    if (name === "automatic") return { name: "typescript", kernel: typescriptKernel };
    throw new UserError(
      {
        code: "addon-missing",
        message: "the native resize kernel cannot be loaded",
        found: (error as Error).message,
        fix: "run node setup.mjs, or ask for the typescript kernel",
      },
      { cause: error },
    );
  }
}

function fromEnvironment(): KernelName | "automatic" {
  const names = ["automatic", "native", "typescript"] as const;
  const asked = process.env.SHITU_PREPROCESSING || "automatic";
  const known = names.find((name) => name === asked);
  if (known) return known;
  throw new UserError({
    code: "setting",
    message: "SHITU_PREPROCESSING names no kernel",
    expected: oneOf(names),
    found: asked,
    fix: "set it to one of these, or leave it unset",
  });
}
