import {
  prepareMini,
  type MiniManifest,
  type PrepareOptions,
} from "../../datasets/mini/prepare.js";
import { progressBar } from "./progress.js";

/** Renders the embedded benchmark, or what is missing of it, with a bar for each of its steps. */
export async function prepareMiniWithBars(
  options: Omit<PrepareOptions, "progress"> = {},
): Promise<MiniManifest> {
  let bar: ReturnType<typeof progressBar> | undefined;
  try {
    return await prepareMini({
      ...options,
      progress: (what) => {
        bar?.stop();
        bar = progressBar(what, what);
        return bar.report;
      },
    });
  } finally {
    bar?.stop();
  }
}
