import { UserError } from "../../src/pipeline/errors.js";
import { flatten } from "./blocks.js";
import { mobilenetV1 } from "./mobilenet-v1.js";
import { mobilenetV2 } from "./mobilenet-v2.js";
import { mobilenetV3 } from "./mobilenet-v3.js";
import type { Batch, NetworkBuilder, Value } from "./network-builder.js";
import { picodet } from "./picodet.js";
import { ppLcnet, ppLcnetFeatures } from "./pp-lcnet.js";
import { ppYoloMobilenet } from "./pp-yolo.js";
import { ppYoloTiny } from "./pp-yolo-tiny.js";
import { ppYoloV2 } from "./pp-yolo-v2.js";
import { resnet50, resnet50Map, type ResNetSpec } from "./resnet.js";
import { shufflenetV2, shuffleWidths } from "./shufflenet-v2.js";

/** The paper's networks by name. */

export type NetworkTask = "classification" | "recognition" | "detection";

export interface Network {
  readonly name: string;
  readonly title: string;
  readonly task: NetworkTask;
  /** Pixels of a side of the input. */
  readonly size: number;
  /** Of ONNX's operators: 19 is the first with DeformConv. */
  readonly opset: 14 | 19;
  readonly batch: Batch;
  /** Classes of a classifier or detector, features of a recogniser. */
  readonly outputs: number;
  readonly build: (b: NetworkBuilder, x: Value) => Record<string, Value>;
}

/** A family of networks that differ in width. */
interface Family {
  readonly name: string;
  readonly title: string;
  readonly task: NetworkTask;
  readonly widths: readonly number[];
  /** Null: any width. */
  readonly only: readonly number[] | null;
  readonly build: (b: NetworkBuilder, x: Value, width: number) => Value;
}

const classes = 1000;
const features = 512;

const families: readonly Family[] = [
  {
    name: "pp-lcnet",
    title: "PP-LCNet",
    task: "classification",
    widths: [0.25, 0.5, 1, 2.5],
    only: null,
    build: (b, x, width) => ppLcnet(b, x, { width, classes }),
  },
  {
    name: "mobilenet-v1",
    title: "MobileNetV1",
    task: "classification",
    widths: [1],
    only: null,
    build: (b, x, width) => mobilenetV1(b, x, { width, classes }),
  },
  {
    name: "mobilenet-v2",
    title: "MobileNetV2",
    task: "classification",
    widths: [0.25, 0.5, 1],
    only: null,
    build: (b, x, width) => mobilenetV2(b, x, { width, classes }),
  },
  {
    name: "mobilenet-v3-small",
    title: "MobileNetV3-small",
    task: "classification",
    widths: [0.35, 1.25],
    only: null,
    build: (b, x, width) => mobilenetV3(b, x, { size: "small", width, classes }),
  },
  {
    name: "mobilenet-v3-large",
    title: "MobileNetV3-large",
    task: "classification",
    widths: [0.35, 1],
    only: null,
    build: (b, x, width) => mobilenetV3(b, x, { size: "large", width, classes }),
  },
  {
    name: "shufflenet-v2",
    title: "ShuffleNetV2",
    task: "classification",
    widths: [0.33, 0.5, 1.5],
    only: Object.keys(shuffleWidths).map(Number),
    build: (b, x, width) => shufflenetV2(b, x, { width, classes }),
  },
  {
    name: "rec-pp-lcnet",
    title: "PP-LCNet recogniser",
    task: "recognition",
    widths: [2.5],
    only: null,
    build: (b, x, width) => {
      const vector = ppLcnetFeatures(b, x, width, "backbone.");
      return b.linear(vector, { name: "neck.fc", out: features });
    },
  },
];

const resnets: readonly Network[] = [
  resnet("resnet50-vd", "ResNet50_vd", { version: "vd", lastStride: 2 }),
  resnet("resnet50-last-stride-1", "ResNet50 with last stride 1", {
    version: "plain",
    lastStride: 1,
  }),
];

const recognisers: readonly Network[] = [
  recogniser("rec-resnet50-vd", "ResNet50_vd recogniser", (b, x) => {
    const map = resnet50Map(b, x, { version: "vd", lastStride: 2, prefix: "backbone." });
    return b.linear(flatten(b, b.globalAveragePool(map)), { name: "neck.fc", out: features });
  }),
  recogniser("rec-resnet50-last-stride-1", "ResNet50 recogniser with last stride 1", (b, x) => {
    const map = resnet50Map(b, x, { version: "plain", lastStride: 1, prefix: "backbone." });
    const pooled = b.globalAveragePool(map);
    return flatten(b, b.conv(pooled, { name: "neck.conv", out: features, bias: true }));
  }),
];

const detectors: readonly Network[] = [
  detector("picodet-lcnet-2.5x", "PP-PicoDet on PP-LCNet-2.5x", 640, (b, x) =>
    picodet(b, x, {
      width: 2.5,
      channels: 128,
      classes: 80,
      act: "hard-swish",
      headDepth: 4,
      neckKernel: 5,
    }),
  ),
  {
    ...detector(
      "picodet-lcnet-2.5x-mainbody",
      "PP-PicoDet as released for main bodies",
      640,
      (b, x) =>
        picodet(b, x, {
          width: 2.5,
          channels: 96,
          classes: 1,
          act: "leaky-relu",
          headDepth: 2,
          neckKernel: 3,
        }),
    ),
    outputs: 1,
  },
  {
    ...detector("pp-yolo-v2", "PP-YOLOv2 on ResNet50_vd-DCNv2", 640, (b, x) =>
      ppYoloV2(b, x, { classes: 80 }),
    ),
    opset: 19,
  },
  {
    ...detector("pp-yolo-v2-mainbody", "PP-YOLOv2 for main bodies", 640, (b, x) =>
      ppYoloV2(b, x, { classes: 1 }),
    ),
    opset: 19,
    outputs: 1,
  },
  detector("pp-yolo-mobilenet-v3", "PP-YOLO on MobileNetV3-large", 320, (b, x) =>
    ppYoloMobilenet(b, x, { classes: 80 }),
  ),
  detector("pp-yolo-tiny", "PP-YOLO tiny", 320, (b, x) => ppYoloTiny(b, x, { classes: 80 })),
];

function resnet(name: string, title: string, spec: ResNetSpec): Network {
  const build: Network["build"] = (b, x) => ({ logits: resnet50(b, x, { ...spec, classes }) });
  const task = "classification";
  return { name, title, task, size: 224, opset: 14, batch: "batch", outputs: classes, build };
}

function recogniser(
  name: string,
  title: string,
  build: (b: NetworkBuilder, x: Value) => Value,
): Network {
  return {
    name,
    title,
    task: "recognition",
    size: 224,
    opset: 14,
    batch: "batch",
    outputs: features,
    build: (b, x) => ({ features: build(b, x) }),
  };
}

function detector(name: string, title: string, size: number, build: Network["build"]): Network {
  return { name, title, task: "detection", size, opset: 14, batch: 1, outputs: 80, build };
}

function ofWidth(family: Family, width: number): Network {
  const output = family.task === "recognition" ? "features" : "logits";
  return {
    name: `${family.name}-${width}x`,
    title: `${family.title}-${width}x`,
    task: family.task,
    size: 224,
    opset: 14,
    batch: "batch",
    outputs: family.task === "recognition" ? features : classes,
    build: (b, x) => ({ [output]: family.build(b, x, width) }),
  };
}

/** What the paper has, family by family. */
export const networks: readonly Network[] = [
  ...families
    .filter((f) => f.task === "classification")
    .flatMap((f) => f.widths.map((w) => ofWidth(f, w))),
  ...resnets,
  ...families
    .filter((f) => f.task === "recognition")
    .flatMap((f) => f.widths.map((w) => ofWidth(f, w))),
  ...recognisers,
  ...detectors,
];

/**
 * A network by its name; families take any width that they can have, as in `pp-lcnet-0.75x`.
 * @throws UserError `unknown-network` that names the nearest right thing.
 */
export function networkNamed(name: string): Network {
  const listed = networks.find((n) => n.name === name);
  if (listed) return listed;
  const [, familyName, width] = /^(.+)-([0-9.]+)x$/.exec(name) ?? [];
  const family = families.find((f) => f.name === familyName);
  const wide = Number(width);
  if (family && Number.isFinite(wide)) return checkedWidth(family, wide, name);
  throw new UserError({
    code: "unknown-network",
    message: `there is no network called ${JSON.stringify(name)}`,
    expected: networks.map((n) => n.name).join(", "),
    found: name,
    fix: `${nearest(name)} is near it; \`shitu networks\` lists all`,
  });
}

function checkedWidth(family: Family, width: number, name: string): Network {
  const possible = family.only;
  const fits = possible === null ? width >= 0.1 && width <= 4 : possible.includes(width);
  if (fits) return ofWidth(family, width);
  const near = [...(possible ?? family.widths)].sort(
    (a, b) => Math.abs(a - width) - Math.abs(b - width),
  );
  throw new UserError({
    code: "unknown-network",
    message: `${family.title} cannot be ${width} wide`,
    expected: possible === null ? "a width from 0.1 to 4" : `one of ${possible.join(", ")}`,
    found: name,
    fix: `${family.name}-${near[0]}x is the nearest`,
  });
}

/** The listed name that shares the most pairs of letters. */
function nearest(name: string): string {
  const pairs = (text: string): Set<string> =>
    new Set(Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2)));
  const wanted = pairs(name.toLowerCase());
  const shared = (n: Network): number => {
    const own = pairs(n.name);
    const common = [...own].filter((p) => wanted.has(p)).length;
    return common / (own.size + wanted.size);
  };
  return [...networks].sort((a, b) => shared(b) - shared(a))[0]!.name;
}
