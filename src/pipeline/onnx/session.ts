// onnx/: the bytes of an ONNX file in; sessions, shapes, counts and graphs as plain values out. It
// never sees a card, a picture or what a model is for.
import { InferenceSession, env } from "onnxruntime-node";
import { UserError } from "../errors.js";

export interface SessionSettings {
  /** Threads inside an operator. Default 1: the latency that a busy machine can repeat. */
  readonly threads?: number;
  /** Default true; false keeps every value of the graph as the file names it. */
  readonly optimise?: boolean;
}

// ONNX Runtime's own log would flood the terminal (one PicoDet export warns at each run); its
// errors reach us as exceptions.
env.logLevel = "fatal";

/**
 * An ONNX Runtime session on the CPU, sequential and silent.
 * @throws UserError `onnx-unsupported` where ONNX Runtime refuses the model; `file` is only named.
 */
export async function openSession(
  bytes: Uint8Array,
  file: string,
  { threads = 1, optimise = true }: SessionSettings = {},
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, {
      executionProviders: ["cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: optimise ? "all" : "disabled",
      logSeverityLevel: 4,
    });
  } catch (error) {
    throw (
      tooNew(error, file) ??
      new UserError(
        {
          code: "onnx-unsupported",
          message: "ONNX Runtime cannot load the model",
          file,
          found: runtimeSays(error),
          fix: "export it again with operators that ONNX Runtime has, in one file",
        },
        { cause: error },
      )
    );
  }
}

/** What ONNX Runtime says of versions that it does not know, as one sentence of ours. */
const versions: readonly (readonly [RegExp, string, string])[] = [
  [
    /Opset (\d+) is under development.*? is till opset (\d+)/s,
    "opset",
    "torch.onnx.export(…, opset_version=17), paddle2onnx --opset_version 16",
  ],
  [/Unsupported model IR version: (\d+), max supported IR version: (\d+)/, "IR version", "onnx"],
];

function tooNew(error: unknown, file: string): UserError | null {
  const text = error instanceof Error ? error.message : String(error);
  for (const [pattern, what, tool] of versions) {
    const [, found, most] = pattern.exec(text) ?? [];
    if (found === undefined) continue;
    const complaint = {
      code: "onnx-unsupported",
      message: `this file needs ${what} ${found}, and this ONNX Runtime knows ${most} at most`,
      file,
      fix: `export it again for ${what} ${most} or lower (${tool})`,
    };
    return new UserError(complaint, { cause: error });
  }
  return null;
}

/**
 * Runs a session; its failure becomes the user's error, which a caller may count and go on.
 * (Suppression inside a PicoDet graph fails on some pictures: PaddleDetection issue 7143.)
 * @throws UserError `model-run-failed`
 */
export async function runSession(
  session: InferenceSession,
  feeds: InferenceSession.FeedsType,
  file: string,
): Promise<InferenceSession.ReturnType> {
  try {
    return await session.run(feeds);
  } catch (error) {
    throw new UserError(
      {
        code: "model-run-failed",
        message: "the model fails on this input",
        file,
        found: runtimeSays(error),
        fix: "leave the input out or export the model without suppression inside",
      },
      { cause: error },
    );
  }
}

/** The first line of ONNX Runtime's message, without its source paths and at a readable length. */
export function runtimeSays(error: unknown): string {
  const line = (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
  const plain = line.replace(/\/\S*\/(\S+\.(?:cc|h|hpp)):\d+/g, "$1").trim();
  return plain.length > 300 ? `${plain.slice(0, 297)}...` : plain;
}
