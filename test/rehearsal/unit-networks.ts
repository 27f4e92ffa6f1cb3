import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { picodet } from "../../models/networks/picodet.js";
import { networkNamed, type Network } from "../../models/networks/catalogue.js";
import { cardOf, writeNetwork } from "../../models/networks/network-files.js";

/** The cards of configs/paper with the smallest networks of their kinds, on inputs of 64 pixels. */

const size = 64;

const detector = (classes: number): Network => ({
  ...networkNamed("picodet-lcnet-2.5x"),
  name: `picodet-unit-${classes}`,
  size,
  outputs: classes,
  build: (b, x) =>
    picodet(b, x, {
      ...{ width: 0.25, channels: 32, classes, act: "hard-swish" },
      ...{ headDepth: 1, neckKernel: 3 },
    }),
});

/** Folders of configs/paper/README.md by the network that stands in. */
const folders: Readonly<Record<string, readonly string[]>> = {
  coco: ["pp-yolov2-coco", "pp-yolo-tiny-coco", "pp-picodet-coco"],
  body: ["mainbody-server", "mainbody-light", "mainbody-light-int8"],
  recogniser: [
    ...["aliproduct", "veri-wild", "logodet-3k", "icartoonface", "inshop"].map(
      (set) => `resnet50-${set}`,
    ),
    ...["general-light", "general-light-int8", "general-light-binary", "general-server"],
    ...["general-light-dml", "general-light-u-dml"],
  ],
  classifier: [
    ...["mobilenet-v2-0.25x", "mobilenet-v3-small-0.35x", "shufflenet-v2-0.33x", "pp-lcnet-0.25x"],
    ...["mobilenet-v2-0.5x", "mobilenet-v3-large-0.35x", "shufflenet-v2-0.5x", "pp-lcnet-0.5x"],
    ...["mobilenet-v1-1x", "mobilenet-v2-1x", "mobilenet-v3-small-1.25x", "shufflenet-v2-1.5x"],
    "pp-lcnet-1x",
  ],
};

export async function writeUnitNetworks(models: string): Promise<void> {
  const networks: Readonly<Record<string, Network>> = {
    coco: detector(2),
    body: detector(1),
    recogniser: { ...networkNamed("rec-pp-lcnet-0.1x"), size },
    classifier: { ...networkNamed("pp-lcnet-0.1x"), size },
  };
  for (const [kind, network] of Object.entries(networks)) {
    const shared = join(models, `${kind}.onnx`);
    mkdirSync(models, { recursive: true });
    const sha256 = await writeNetwork(shared, network, { seed: 1, size });
    for (const folder of folders[kind]!) {
      mkdirSync(join(models, folder), { recursive: true });
      const card = cardOf(network, { seed: 1, size }, sha256, `../${kind}.onnx`);
      const own = card.replace(/^name: .*$/m, `name: ${folder.replace(/\./g, "-")}`);
      writeFileSync(join(models, folder, "card.yaml"), special(own, folder));
    }
  }
}

/** What the cards of some folders say beside the size: codes, names of classes. */
function special(card: string, folder: string): string {
  if (folder === "general-light-binary")
    return card.replace("recognition:\n", "recognition:\n  binarise: sign\n");
  return folder.endsWith("-coco") ? card.replace(/classes: 2$/m, "classes: [person, chair]") : card;
}
