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
    throw new UserError(
      {
        code: "onnx-unsupported",
        message: "ONNX Runtime cannot load the model",
        file,
        found: runtimeSays(error),
        fix: "export it again with operators that ONNX Runtime has, in one file",
      },
      { cause: error },
    );
  }
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
