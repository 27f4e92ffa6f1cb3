import type { Verb } from "../verb.js";

/**
 * What can be scored from files at hand. Each is loaded only when it is called: `eval coco` starts
 * in a few milliseconds.
 */
const scored: Readonly<Record<string, { summary: string; load: () => Promise<{ verb: Verb }> }>> = {
  coco: {
    summary: "detection: average precision and recall, equal to pycocotools",
    load: () => import("./eval-coco.js"),
  },
  f1: {
    summary: "pipeline: F1 by four definitions, crop-recall, thresholds, loss waterfall",
    load: () => import("./eval-f1.js"),
  },
  retrieval: {
    summary: "retrieval: recall@k, mAP and their kin, from feature files",
    load: () => import("./eval-retrieval.js"),
  },
};

export const verb: Verb = {
  build(command) {
    // it would print a verb's help before its options are loaded; `eval coco --help` does not
    command.helpCommand(false);
    for (const [name, { summary }] of Object.entries(scored))
      command.command(name).description(summary);
    command.hook("preSubcommand", async (_, called) => {
      (await scored[called.name()]?.load())?.verb.build(called);
    });
  },
};
