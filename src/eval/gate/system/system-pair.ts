import { UserError } from "../../../pipeline/errors.js";
import { changeBetween, type Change } from "../change.js";
import {
  isModelFile,
  openByCard,
  openUnderCard,
  feeding,
  type CardDesk,
  type ContenderModel,
  type ContenderPlace,
} from "../contender.js";
import type { ModelPair } from "../gate.js";

export const roles = ["detector", "embedder"] as const;
export type Role = (typeof roles)[number];

/** The two models of a pipeline. */
export type SystemModels = Readonly<Record<Role, ContenderModel>>;

export interface SystemPair {
  readonly baseline: SystemModels;
  readonly candidate: SystemModels;
  /** What differs between the two; one role at least. */
  readonly changed: readonly Role[];
}

/**
 * Opens two pipelines. A model that only one side names stands on both sides; a candidate's model
 * file without a card is judged under the baseline's card that it fits.
 *
 * @throws UserError `card-needed`, `wrong-task`, `system-incomplete`, `same-model` and those of
 * `checkCard`.
 */
export async function openSystems(
  baseline: readonly ContenderPlace[],
  candidate: readonly ContenderPlace[],
  desk: CardDesk,
): Promise<SystemPair> {
  const first = await byRole(baseline, (place) => {
    if (!isModelFile(place.path)) return openByCard(place);
    throw new UserError({
      code: "card-needed",
      message: "a pipeline's baseline is named by cards",
      file: place.path,
      fix: "give the card of this model",
    });
  });
  const cards = Object.values(first).map(({ card }) => card);
  const second = await byRole(candidate, (place) =>
    isModelFile(place.path) ? underOneOf(place.path, cards, desk) : openByCard(place),
  );
  const pair = {
    baseline: complete({ ...second, ...first }, baseline),
    candidate: complete({ ...first, ...second }, candidate),
  };
  const changed = roles.filter((role) => !same(pair.baseline[role], pair.candidate[role]));
  if (changed.length > 0) return { ...pair, changed };
  throw new UserError({
    code: "same-model",
    message: "the candidate is the baseline: the same files under the same cards",
    file: pair.candidate.embedder.file,
    fix: "give the new export; a gate that compares a pipeline with itself would always pass",
  });
}

function same(first: ContenderModel, second: ContenderModel): boolean {
  return first.sha256 === second.sha256 && feeding(first.card) === feeding(second.card);
}

async function byRole(
  places: readonly ContenderPlace[],
  open: (place: ContenderPlace) => Promise<ContenderModel>,
): Promise<Partial<SystemModels>> {
  const models: Partial<Record<Role, ContenderModel>> = {};
  for (const place of places) {
    const model = await open(place);
    const role = roleOf(model, place);
    if (models[role]) {
      throw new UserError({
        code: "wrong-task",
        message: `one side names two ${role}s`,
        file: place.path,
        fix: "name a detector, an embedder or one of each",
      });
    }
    models[role] = model;
  }
  return models;
}

function roleOf({ card }: ContenderModel, { path }: ContenderPlace): Role {
  if (card.task === "detection") return "detector";
  if (card.task === "recognition") return "embedder";
  throw new UserError({
    code: "wrong-task",
    message: "a classifier has no place in the pipeline",
    file: path,
    path: "task",
    expected: "detection or recognition",
    found: card.task,
    fix: "leave it out, or judge it alone",
  });
}

/** A model file under the first of the cards that it fits. */
async function underOneOf(
  file: string,
  cards: readonly ContenderModel["card"][],
  desk: CardDesk,
): Promise<ContenderModel> {
  const refused: string[] = [];
  for (const card of cards) {
    try {
      return await openUnderCard(file, card, desk);
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "card-mismatch") throw error;
      const { path, expected, found } = error.complaint;
      refused.push(`${card.name} (${path}: expected ${expected}, found ${found})`);
    }
  }
  throw new UserError({
    code: "card-mismatch",
    message: "the model fits no card of the baseline, under which it would be judged",
    file,
    expected: "the inputs and outputs of one of them",
    found: refused.join("; "),
    fix: "export it with the same inputs and outputs, or give it a card of its own",
  });
}

function complete(
  { detector, embedder }: Partial<SystemModels>,
  places: readonly ContenderPlace[],
): SystemModels {
  if (detector && embedder) return { detector, embedder };
  throw new UserError({
    code: "system-incomplete",
    message: `nothing names the pipeline's ${detector ? "embedder" : "detector"}`,
    ...(places[0] && { file: places[0].path }),
    fix: "name both models of the baseline: --baseline DETECTOR.yaml EMBEDDER.yaml",
  });
}

/** The larger of what was done to the two models. */
export function changeOfSystem({ baseline, candidate }: SystemPair): Change {
  const changes = roles.map((role) => changeBetween(baseline[role].onnx, candidate[role].onnx));
  return (["int8", "fp16"] as const).find((change) => changes.includes(change)) ?? "same";
}

/** The two sides of one role. */
export function pairOf({ baseline, candidate }: SystemPair, role: Role): ModelPair {
  return { baseline: baseline[role], candidate: candidate[role] };
}
