import type { IndexMetric } from "../../pipeline/types.js";
import type { Point } from "./point.js";

/** Ready lines that build the pick again elsewhere. */
export interface Snippets {
  /** The index of an experiment config, or of `shitu gallery build`. */
  readonly yaml: string;
  /** The block of a PaddleClas config; null where PaddleClas has no such index. */
  readonly paddleclas: string | null;
  readonly python: string;
  readonly typescript: string;
}

export function snippetsOf(point: Point, dim: number, metric: IndexMetric): Snippets {
  return {
    yaml: yamlOf(point),
    paddleclas: paddleclasOf(point, dim),
    python: pythonOf(point, dim, metric),
    typescript: typescriptOf(point, dim, metric),
  };
}

function yamlOf({ setting, factory, parameters }: Point): string {
  const set = Object.entries({ ...setting.build, ...parameters });
  const lines = [`engine: ${setting.engine}`, `factory: "${factory}"`];
  return [...lines, ...set.map(([name, value]) => `${name}: ${value}`)].join("\n");
}

/**
 * PaddleClas knows Flat, IVF and HNSW32, real or binary, with lists of its own number, and sets
 * neither nprobe nor efSearch (`deploy/python/build_gallery.py`).
 */
function paddleclasOf({ setting, factory, size }: Point, dim: number): string | null {
  const plain = factory.replace(/^B/, "").replace(/,Flat$/, "");
  const own = plain === `IVF${Math.floor(size / 8)}` ? "IVF" : plain;
  if (setting.engine !== "faiss" || !["Flat", "IVF", "HNSW32"].includes(own)) return null;
  return [
    "IndexProcess:",
    "  index_method: " + `"${own}"  # supported: HNSW32, IVF, Flat`,
    ...(setting.codes === "sign" ? ["  binary_index: true"] : []),
    '  image_root: "./gallery"',
    '  index_dir: "./gallery/index"',
    '  data_file: "./gallery/gallery.txt"',
    '  index_operation: "new"',
    '  delimiter: "\\t"',
    `  dist_type: "${setting.codes === "sign" ? "hamming" : "IP"}"`,
    `  embedding_size: ${dim}`,
    "  batch_size: 32",
  ].join("\n");
}

function pythonOf(
  { setting, factory, parameters }: Point,
  dim: number,
  metric: IndexMetric,
): string {
  const binary = setting.codes === "sign" || metric === "hamming";
  const kind = metric === "l2" ? "faiss.METRIC_L2" : "faiss.METRIC_INNER_PRODUCT";
  if (setting.engine === "two-stage") return twoStagePython(parameters, metric);
  if (setting.engine !== "faiss")
    return `# ${setting.engine} ${factory}: see its own package for Python`;
  const rows = setting.codes === "sign" ? "np.packbits(x > 0, axis=1)" : "x";
  const make = binary
    ? `index = faiss.index_binary_factory(${dim}, "${factory}")`
    : `index = faiss.index_factory(${dim}, "${factory}", ${kind})`;
  const built = Object.entries(setting.build).map(([name, v]) => setLine(name, v));
  const searched = Object.entries(parameters).map(([name, v]) => setLine(name, v));
  const head = rows === "x" ? ["import faiss"] : ["import faiss, numpy as np"];
  return [
    ...head,
    make,
    ...built,
    `x = ${rows}; index.train(x); index.add(x)`.replace("x = x; ", ""),
    ...searched,
  ].join("\n");
}

function setLine(name: string, value: number): string {
  const graph = name === "efSearch" || name === "efConstruction";
  return graph ? `index.hnsw.${name} = ${value}` : `index.${name} = ${value}`;
}

function twoStagePython(parameters: Point["parameters"], metric: IndexMetric): string {
  const rank = metric === "l2" ? "-((x[ids] - q) ** 2).sum(1)" : "x[ids] @ q";
  return [
    "import faiss, numpy as np",
    "codes = faiss.IndexBinaryFlat(x.shape[1]); codes.add(np.packbits(x > 0, axis=1))",
    `ids = codes.search(np.packbits(q[None] > 0, axis=1), ${parameters.shortlist})[1][0]`,
    `best = ids[np.argsort(-(${rank}))]`,
  ].join("\n");
}

function typescriptOf(point: Point, dim: number, metric: IndexMetric): string {
  const { setting, factory, parameters } = point;
  const binary = setting.codes === "sign" || metric === "hamming";
  const shape = binary
    ? `kind: "binary", metric: "hamming", dim: ${dim}`
    : `kind: "real", metric: "${metric}", dim: ${dim}`;
  const spec = `{ engine: "${setting.engine}", factory: "${factory}", ${shape} }`;
  const set = { ...setting.build, ...parameters };
  return [
    `const index = await openIndex(${spec});`,
    "if (!index.trained) await index.train(rows);",
    ...(Object.keys(set).length > 0 ? [`index.set(${JSON.stringify(set)});`] : []),
    "await index.add(rows);",
  ].join("\n");
}
