// releases/: data sets as their authors publish them in; the crops and lists that recognition needs
// out. It never sees a model.
import { join } from "node:path";
import type { Progress } from "../../src/pipeline/types.js";
import { prepareCrops, type Prepared } from "./crops.js";
import { cartoonCuts, cartoonFolder, cartoonImages } from "./icartoonface.js";
import { logodetCuts, logodetFolders } from "./logodet-3k.js";

/** A release that has no crops: those that recognition needs are cut out of its pictures. */
export interface Release {
  /** What it is called below the data folder. */
  readonly folder: string;
  readonly prepare: (data: string, progress: Progress) => Promise<Prepared>;
}

export const releases: Readonly<Record<string, Release>> = {
  "logodet-3k": {
    folder: logodetFolders.release,
    prepare: (data, progress) =>
      prepareCrops(
        logodetCuts(data),
        join(data, logodetFolders.release),
        join(data, logodetFolders.crops),
        progress,
      ),
  },
  icartoonface: {
    folder: cartoonFolder,
    prepare: async (data, progress) => {
      const folder = join(data, cartoonFolder);
      return prepareCrops(await cartoonCuts(data), join(folder, cartoonImages), folder, progress);
    },
  },
};
