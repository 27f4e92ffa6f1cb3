import { readFactory } from "../../pipeline/index/factory.js";
import type { Family, Knob, Setting } from "./point.js";

/** What decides which settings make sense. */
export interface SpaceOptions {
  /** Floats a vector, or bits a code. */
  readonly dim: number;
  readonly kind: "real" | "binary";
  /** Vectors in the gallery. */
  readonly size: number;
  readonly engines: readonly string[];
  readonly k: number;
  /** Version of the Faiss at hand, such as 1.7.3. */
  readonly faiss: string;
}

export interface Space {
  /** What matters most comes first: a small budget ends somewhere on the way. */
  readonly settings: readonly Setting[];
  /** Why nothing of a family is in it. */
  readonly left: Readonly<Partial<Record<Family, string>>>;
}

const lastLists = 65_536;

/** How many lists an IVF index of so many vectors has. */
const listRules = {
  /** The square root: coarse and fine search then cost the same. */
  root: (n: number) => Math.sqrt(n),
  /** Faiss's guideline for under a million vectors: 4 to 16 times the root. */
  fourRoots: (n: number) => 4 * Math.sqrt(n),
  /** PaddleClas (`deploy/python/build_gallery.py`). */
  paddleclas: (n: number) => n / 8,
} as const;
export type ListRule = keyof typeof listRules;

export function listsFor(rule: ListRule, n: number): number {
  return Math.max(1, Math.min(lastLists, Math.floor(listRules[rule](n))));
}

/** The factory string of a setting for so many vectors. */
export function factoryAt({ factory }: Pick<Setting, "factory">, n: number): string {
  return factory.replace(/\{(\w+)\}/, (_, rule: string) => String(listsFor(rule as ListRule, n)));
}

/** The inverted lists of a factory string; 0 where it has none. */
export function listsOf(factory: string): number {
  return readFactory(factory).lists;
}

const doubling = (from: number, to: number): number[] => {
  const values: number[] = [];
  for (let v = from; v <= to; v *= 2) values.push(v);
  return values;
};

const nprobe: Knob = { name: "nprobe", values: doubling(1, 256), largest: lastLists };
const efSearch: Knob = { name: "efSearch", values: doubling(16, 512), largest: 4096 };

/** The settings that are tried for vectors of this kind, by this Faiss. */
export function settingSpace(options: SpaceOptions): Space {
  const left: Partial<Record<Family, string>> = {};
  const all = options.kind === "binary" ? binarySettings() : realSettings(options, left);
  const settings = all.filter((s) => options.engines.includes(s.engine));
  return { settings, left };
}

type Draft = Pick<Setting, "family" | "factory"> & Partial<Setting>;

function setting({ family, factory, ...more }: Draft): Setting {
  return {
    engine: "faiss",
    codes: "real",
    build: {},
    knob: null,
    leastSize: 1,
    family,
    factory,
    ...more,
  };
}

function binarySettings(): Setting[] {
  return [
    setting({ family: "binary Flat", factory: "BFlat" }),
    setting({ family: "binary HNSW", factory: "BHNSW32", knob: efSearch }),
    setting({ family: "binary IVF", factory: "BIVF{root}", knob: nprobe }),
    setting({ family: "binary HNSW", factory: "BHNSW16", knob: efSearch }),
  ];
}

function realSettings(options: SpaceOptions, left: Partial<Record<Family, string>>): Setting[] {
  return [
    ...floatSettings(),
    ...signSettings(options, left),
    ...quantised(options, left),
    ...otherEngines(),
  ];
}

function floatSettings(): Setting[] {
  const graph = (degree: number, efConstruction: number): Setting =>
    setting({
      family: "HNSW",
      factory: `HNSW${degree}`,
      build: { efConstruction },
      knob: efSearch,
    });
  const lists = (rule: ListRule): Setting =>
    setting({ family: "IVF", factory: `IVF{${rule}},Flat`, knob: nprobe });
  return [
    setting({ family: "Flat", factory: "Flat" }),
    lists("root"),
    graph(32, 40),
    lists("fourRoots"),
    graph(16, 40),
    lists("paddleclas"),
    graph(32, 200),
    graph(64, 100),
  ];
}

/** Indexes of the vectors' signs, alone and with the vectors ranking what they propose. */
function signSettings({ dim, k }: SpaceOptions, left: Partial<Record<Family, string>>): Setting[] {
  if (dim % 8 !== 0) {
    const why = `${dim} signs do not fill whole bytes`;
    for (const family of ["binary Flat", "binary IVF", "binary HNSW", "two-stage"] as const) {
      left[family] = why;
    }
    return [];
  }
  const shortlist: Knob = { name: "shortlist", values: doubling(2 * k, 512 * k), largest: 1 << 16 };
  return [
    setting({
      family: "two-stage",
      engine: "two-stage",
      factory: "Shortlist,BFlat",
      knob: shortlist,
    }),
    ...binarySettings().map((s): Setting => ({ ...s, codes: "sign" })),
  ];
}

function quantised(options: SpaceOptions, left: Partial<Record<Family, string>>): Setting[] {
  const settings = [
    setting({ family: "SQ8", factory: "SQ8" }),
    setting({ family: "IVF-SQ8", factory: "IVF{root},SQ8", knob: nprobe }),
    setting({
      family: "HNSW-SQ8",
      factory: "HNSW32,SQ8",
      build: { efConstruction: 40 },
      knob: efSearch,
    }),
    ...productQuantisers(options, left),
  ];
  if (isOlder(options.faiss, "1.11.0")) {
    left.RaBitQ = `Faiss ${options.faiss} does not have it; 1.11 and later do`;
    return settings;
  }
  return [
    ...settings,
    setting({ family: "RaBitQ", factory: "RaBitQ" }),
    setting({ family: "RaBitQ", factory: "IVF{root},RaBitQ", knob: nprobe }),
  ];
}

const leastForPq = 39 * 256;

function productQuantisers(
  { dim, size }: SpaceOptions,
  left: Partial<Record<Family, string>>,
): Setting[] {
  const parts = [4, 8, 2].map((width) => dim / width).find((m) => Number.isInteger(m) && m <= 256);
  const why =
    parts === undefined
      ? `${dim} values do not split into parts of 4, 8 or 2`
      : `a product quantiser is trained on ${leastForPq} vectors or more, 39 a centroid`;
  if (parts === undefined || size < leastForPq) {
    left.PQ = why;
    left["IVF-PQ"] = why;
    return [];
  }
  const eightBits = { leastSize: leastForPq };
  const fourBits = { leastSize: 39 * 16 };
  return [
    setting({ family: "IVF-PQ", factory: `IVF{root},PQ${parts}`, knob: nprobe, ...eightBits }),
    setting({ family: "PQ", factory: `PQ${parts}`, ...eightBits }),
    setting({ family: "PQ", factory: `PQ${parts}x4fs`, ...fourBits }),
    setting({ family: "IVF-PQ", factory: `IVF{root},PQ${parts}x4fs`, knob: nprobe, ...fourBits }),
  ];
}

function otherEngines(): Setting[] {
  return [
    setting({ family: "HNSW", engine: "usearch", factory: "HNSW32", knob: efSearch }),
    setting({ family: "Flat", engine: "usearch", factory: "Flat" }),
    setting({ family: "Flat", engine: "faiss-node", factory: "Flat" }),
    setting({ family: "Flat", engine: "exact", factory: "Flat" }),
  ];
}

/** Whether version a comes before b; both like 1.7.3. */
export function isOlder(a: string, b: string): boolean {
  const [x, y] = [a, b].map((v) => v.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (x![i] ?? 0) - (y![i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
