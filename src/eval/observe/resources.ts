import {
  isBaseline,
  loadCard,
  modelFileOf,
  preprocessingOf,
  type AnyCard,
} from "../../pipeline/model/card.js";
import { openClassifier, type Classifier } from "../../pipeline/classification/classifier.js";
import { openDetector } from "../../pipeline/detection/detector.js";
import type { TimedDetector } from "../../pipeline/detection/timed-detector.js";
import { EmbedPool } from "../../pipeline/embedding/embed-pool.js";
import { openEmbedder, type WindowEmbedder } from "../../pipeline/embedding/embedder.js";
import { PictureStore } from "../../pipeline/image/picture-store.js";
import type { Preprocessing } from "../../pipeline/types.js";
import { ObservationCaches } from "./cache.js";
import type { LoadedConfig } from "../config/config.js";
import { resolvePath } from "../config/config.js";
import { loadDataset, type DatasetManifest } from "../config/dataset.js";

/** A model as a config names it. */
export type ModelRef =
  | string
  | {
      readonly card: string;
      readonly folder?: string | undefined;
      readonly name?: string | undefined;
    };

export interface PlacedModel {
  readonly card: string;
  readonly modelFolder?: string;
}

/**
 * Bytes of resized pictures that models share: mini's recognition sets at 64 x 64 and at 32 x 32
 * take 190 MB.
 */
const sharedPictureBytes = 256 << 20;

/**
 * Threads and pictures that several runs share: `shitu reproduce` runs a config a table on the same
 * pictures.
 */
export class SharedWork {
  readonly pool: EmbedPool;

  /** @param workers threads that embed. Default: all cores. */
  constructor({ workers }: { workers?: number } = {}) {
    this.pool = new EmbedPool({
      store: new PictureStore(sharedPictureBytes),
      ...(workers !== undefined && { workers }),
    });
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}

/**
 * What the cells of a run share: each model, data set and list is opened once, and closed at the
 * end.
 */
export class Resources {
  readonly loaded: LoadedConfig;
  readonly caches: ObservationCaches;
  readonly pool: EmbedPool;
  readonly #own: SharedWork | null;
  readonly #made = new Map<string, Promise<unknown>>();
  readonly #datasets = new Map<string, Promise<DatasetManifest>>();
  readonly #detectors = new Map<string, Promise<TimedDetector>>();
  readonly #embedders = new Map<string, Promise<WindowEmbedder>>();
  readonly #classifiers = new Map<string, Promise<Classifier>>();
  readonly #releases: (() => void)[] = [];

  /** @param work what goes on after this run; without it, the run has threads of its own. */
  constructor(loaded: LoadedConfig, cacheRoot: string, work?: SharedWork) {
    this.loaded = loaded;
    this.caches = new ObservationCaches(cacheRoot);
    this.#own = work ? null : new SharedWork();
    this.pool = (work ?? this.#own!).pool;
  }

  /** A path of the config, absolute. */
  path(path: string): string {
    const { folder, file, config } = this.loaded;
    return resolvePath(path, folder, config.settings, file);
  }

  /** Absolute paths of a model's card and folder. */
  place(ref: ModelRef): PlacedModel {
    const at = (path: string): string => this.path(path);
    if (typeof ref === "string") return { card: at(ref) };
    return { card: at(ref.card), ...(ref.folder !== undefined && { modelFolder: at(ref.folder) }) };
  }

  dataset(path: string): Promise<DatasetManifest> {
    const at = this.path(path);
    return once(this.#datasets, at, () => loadDataset(at, this.loaded.config.settings));
  }

  detector(ref: ModelRef, threads = 1): Promise<TimedDetector> {
    const model = this.place(ref);
    return once(this.#detectors, JSON.stringify([model, threads]), () =>
      openDetector(model.card, {
        ...folderOf(model),
        threads,
        protocol: this.loaded.config.protocol,
      }),
    );
  }

  embedder(ref: ModelRef, threads = 1): Promise<WindowEmbedder> {
    const model = this.place(ref);
    return once(this.#embedders, JSON.stringify([model, threads]), () =>
      openEmbedder(model.card, { ...folderOf(model), threads }),
    );
  }

  classifier(ref: ModelRef, threads = 1): Promise<Classifier> {
    const model = this.place(ref);
    return once(this.#classifiers, JSON.stringify([model, threads]), () =>
      openClassifier(model.card, { ...folderOf(model), threads }),
    );
  }

  /** A model's card. */
  card(ref: ModelRef): Promise<AnyCard> {
    return loadCard(this.place(ref).card);
  }

  /** Path of a model's ONNX file; null for a baseline, which has none. */
  async modelFile(ref: ModelRef): Promise<string | null> {
    const { card: file, modelFolder } = this.place(ref);
    const card = await loadCard(file);
    return isBaseline(card) ? null : modelFileOf(card, file, modelFolder);
  }

  /**
   * The preprocessing that a model's card states; null for a baseline that takes pictures as they
   * are.
   */
  async preprocessing(ref: ModelRef): Promise<Preprocessing | null> {
    return preprocessingOf(await loadCard(this.place(ref).card));
  }

  /**
   * What `make` makes, once a run, for whatever cells share and need no closing: a list's paths,
   * what a model costs.
   */
  shared<T>(name: string, make: () => Promise<T>): Promise<T> {
    return once(this.#made as Map<string, Promise<T>>, name, make);
  }

  /** Runs `release` when the run ends, however it ends. */
  atClose(release: () => void): void {
    this.#releases.push(release);
  }

  async close(): Promise<void> {
    for (const release of this.#releases) release();
    await this.caches.close();
    await this.#own?.close();
    const open = [
      ...this.#detectors.values(),
      ...this.#embedders.values(),
      ...this.#classifiers.values(),
    ];
    await Promise.all(open.map(async (model) => (await model.catch(() => null))?.close()));
  }
}

export function folderOf({ modelFolder }: PlacedModel): { modelFolder?: string } {
  return modelFolder === undefined ? {} : { modelFolder };
}

function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const before = made.get(key);
  if (before) return before;
  const now = make();
  made.set(key, now);
  return now;
}
