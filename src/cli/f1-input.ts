import { basename } from "node:path";
import type { Evidence, EvidenceImage } from "../eval/observe/evidence-file.js";
import type { TruthObject } from "../eval/metrics/end-to-end/f1-evidence.js";
import {
  cropsOf,
  type CropEvidence,
  type Neighbour,
} from "../eval/metrics/end-to-end/waterfall-evidence.js";
import {
  joinEvidence,
  readObservations,
  readTruth,
  type ObservedImage,
} from "../eval/observe/query-evidence.js";
import { UserError } from "../pipeline/errors.js";
import type { Box } from "../pipeline/types.js";

/** The options of `shitu eval f1` that name what to score. */
export interface EvidenceOptions {
  readonly truth?: string;
  readonly observations?: string;
  readonly exact?: string;
  readonly exactIndex?: true;
  readonly oracle?: string;
  readonly oracleExact?: string;
  readonly unknownLabel?: string[];
  readonly byFileName?: true;
  readonly allowMissing?: true;
}

/**
 * Joins truth, observations and what further observations of the same pictures tell: exact
 * neighbours, and the truth boxes as crops.
 *
 * @throws UserError `bad-option`, and those of the files and of joining them.
 */
export async function gatherEvidence(options: EvidenceOptions): Promise<Evidence> {
  const { truth, observations, exact, oracle, oracleExact, byFileName = false } = options;
  if (truth === undefined || observations === undefined)
    throw new UserError({
      code: "bad-option",
      message: "--truth and --observations are needed, or --evidence",
      fix: "give both files, or the one",
    });
  if (exact !== undefined && options.exactIndex)
    throw new UserError({
      code: "bad-option",
      message: "--exact and --exact-index exclude each other",
      fix: "give one of them",
    });
  if (oracleExact !== undefined && oracle === undefined)
    throw new UserError({
      code: "bad-option",
      message: "--oracle-exact needs --oracle",
      fix: "give the truth boxes with the index under test, too",
    });
  const joined = joinEvidence(
    await readTruth(truth, options.unknownLabel ?? []),
    await readObservations(observations),
    { truth, observations },
    options,
  );
  const key = (image: string): string => (byFileName ? basename(image) : image);
  const load = async (file: string | undefined): Promise<Lookup | null> => {
    if (file === undefined) return null;
    const by = new Map((await readObservations(file)).map((o) => [key(o.image), o]));
    return { file, of: (image) => by.get(key(image)) };
  };
  const [exactly, boxes, boxesExactly] = [
    await load(exact),
    await load(oracle),
    await load(oracleExact),
  ];
  const why = new Map(joined.unobserved.map((u) => [u.image, u.why]));
  const images = joined.images.map(({ image, truth: objects, unknown = [] }, i): EvidenceImage => {
    const observed = joined.observed[i];
    const crops = observed
      ? cropsOf(
          observed,
          objects,
          exactly ? neighboursIn(exactly, observed, "--observations") : undefined,
        ).crops
      : [];
    return {
      image,
      truth: objects,
      unknown,
      crops,
      oracle: boxes && oracleCrops(boxes, boxesExactly, image, objects),
      unobserved: why.get(image) ?? null,
    };
  });
  return {
    images,
    exact: exactly !== null || options.exactIndex === true,
    oracleExact: boxes !== null && (boxesExactly !== null || options.exactIndex === true),
  };
}

interface Lookup {
  readonly file: string;
  of(image: string): ObservedImage | undefined;
}

const place = ({ x0, y0, x1, y1 }: Box): string => [x0, y0, x1, y1].join(" ");

/** For each recognition the first neighbour that another index found for the same crop. */
function neighboursIn(other: Lookup, observed: ObservedImage, first: string): (Neighbour | null)[] {
  const exact = other.of(observed.image);
  if (!exact)
    throw new UserError({
      code: "observation-missing",
      message: `lacks a picture of ${first}`,
      file: other.file,
      found: `nothing for ${observed.image}`,
      fix: "recognise the same pictures with both indexes",
    });
  const found = new Map(exact.recognitions.map((r) => [place(r.box), neighbourOf(r)]));
  return observed.recognitions.map((r) => {
    const neighbour = found.get(place(r.box));
    if (neighbour === undefined)
      throw new UserError({
        code: "crops-differ",
        message: `has other crops than ${first}`,
        file: other.file,
        path: observed.image,
        expected: `a crop at ${place(r.box)}`,
        fix: "use the same detector, models and settings with both indexes",
      });
    return neighbour;
  });
}

function neighbourOf({ label, score }: { label: string | null; score: number }): Neighbour | null {
  return label === null ? null : { label, score };
}

/**
 * The truth boxes as crops, in the order of the objects. None where the picture could not be read:
 * perfect boxes would not have helped.
 */
function oracleCrops(
  boxes: Lookup,
  exactly: Lookup | null,
  image: string,
  objects: readonly TruthObject[],
): CropEvidence[] {
  const observed = boxes.of(image);
  if (observed?.error !== undefined)
    return objects.map(({ box }) => ({ box, whole: false, exact: null, found: null }));
  if (!observed && objects.length > 0)
    throw new UserError({
      code: "observation-missing",
      message: "lacks a picture that shows objects",
      file: boxes.file,
      found: `nothing for ${image}`,
      fix: "recognise the truth boxes of all pictures: shitu recognize --boxes",
    });
  const exact = exactly && observed && neighboursIn(exactly, observed, "--oracle");
  const cut = ({ x0, y0, x1, y1 }: Box): Box => ({
    x0: clip(x0, observed!.width),
    y0: clip(y0, observed!.height),
    x1: clip(x1, observed!.width),
    y1: clip(y1, observed!.height),
  });
  return objects.map(({ box }, o): CropEvidence => {
    // The pipeline cuts crops at whole pixels of the picture.
    const at = observed!.recognitions.findIndex((r) => place(cut(r.box)) === place(cut(box)));
    if (at === -1)
      throw new UserError({
        code: "crops-differ",
        message: "lacks the box of an object",
        file: boxes.file,
        path: image,
        expected: `a crop at ${place(box)} (object ${o})`,
        fix: "recognise the boxes of the same truth: shitu recognize --boxes",
      });
    const found = neighbourOf(observed!.recognitions[at]!);
    return { box, whole: false, exact: exact ? exact[at]! : found, found };
  });
}

function clip(x: number, most: number): number {
  return Math.min(most, Math.max(0, Math.trunc(x)));
}
