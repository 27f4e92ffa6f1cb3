import { join } from "node:path";
import { drawPhotos } from "../../datasets/drawn-photos/draw.js";
import { networkNamed } from "../../models/networks/catalogue.js";
import { cachedNetwork, networksFolder } from "../../models/networks/network-files.js";
import type { ExperimentConfig } from "../eval/config/config.js";
import { projectRoot } from "../pipeline/root.js";
import { progressBar } from "./progress.js";

/** What the configs of `configs/scale` need to be there: built networks, drawn pictures. */

const systemNetworks: Readonly<Record<string, string>> = {
  picodet: "picodet-lcnet-2.5x-mainbody",
  ppYolo: "pp-yolo-v2-mainbody",
  recLcnet: "rec-pp-lcnet-2.5x",
  recResnet: "rec-resnet50-vd",
};

/** Builds what Table 9's systems consist of and returns the `--set` assignments that place it. */
export async function prepareSystems(): Promise<string[]> {
  const bar = progressBar("networks", "networks");
  const assignments: string[] = [];
  const all = Object.entries(systemNetworks);
  try {
    for (const [done, [setting, name]] of all.entries()) {
      bar.report(done, all.length);
      const folder = await cachedNetwork(networkNamed(name), { seed: 1 }, networksFolder());
      assignments.push(`settings.${setting}=${folder}`);
    }
  } finally {
    bar.stop();
  }
  const photos = await drawPhotos(join(projectRoot, ".cache", "drawn-photos"));
  return [...assignments, `settings.photos=${photos}`];
}

/**
 * Of a config what takes no timing: counts, sizes; of vectors as many queries as show that the
 * index answers. Null where nothing is left.
 */
export function exactPart(config: ExperimentConfig): ExperimentConfig | null {
  const measure = config.measure.flatMap((m): ExperimentConfig["measure"] => {
    if (m.kind === "index") {
      const vectors = m.vectors && { ...m.vectors, queries: 4 };
      return [{ ...m, k: [1], vectors, comparison: undefined }];
    }
    if (m.kind !== "network") return [];
    const { kind, networks: all, seed } = m;
    // Eight-bit networks have to be built for their size, and the paper prints none.
    const networks = all.filter((n) => !n.int8);
    return networks.length === 0 ? [] : [{ kind, networks, seed }];
  });
  return measure.length === 0 ? null : { ...config, measure };
}
