import type { Operator } from "./program.js";
import type { Call } from "./operators/call.js";
import type { Translation } from "./translate.js";

/**
 * Control flow and tensor arrays. They are run here, while the graph is built: at a fixed size
 * every condition is known, and what they leave behind is plain operators. Each row sees the whole
 * translation, for bodies are blocks and arrays live beside values.
 */
type Control = (call: Call, translation: Translation) => void;

/** A loop that has not ended after this many turns does not hang on sizes. */
const mostTurns = 10_000;

export const controls: Readonly<Record<string, Control>> = {
  while: runWhile,
  conditional_block: runConditional,
  pir_if: runIf,
  pir_while: runLoop,
  yield: yieldValues,
  select_input: selectInput,
  create_array: createArray,
  write_to_array: writeToArray,
  read_from_array: readFromArray,
  lod_array_length: arrayLength,
  tensor_array_to_tensor: arrayToTensor,
  assign: assign,
};

function runWhile(call: Call, translation: Translation): void {
  const [condition = ""] = call.variables("Condition");
  for (let turn = 0; isTrue(call, translation, condition); turn++) {
    if (turn >= mostTurns) throw call.refusal("it does not end", "export the model without it");
    translation.runBlock(bodyOf(call));
  }
}

function runConditional(call: Call, translation: Translation): void {
  const [condition = ""] = call.variables("Cond");
  if (isTrue(call, translation, condition)) translation.runBlock(bodyOf(call));
}

function isTrue(call: Call, translation: Translation, variable: string): boolean {
  const numbers = call.graph.numbersIn(translation.value(variable));
  if (numbers) return numbers[0] !== 0;
  throw call.refusal(
    `its condition ${variable} hangs on what is fed`,
    "fix the batch and the size: --batch 1 --size 640x640",
  );
}

function bodyOf(call: Call): number {
  return call.number("sub_block", -1);
}

/** PIR's `if`: both bodies yield what it makes. */
function runIf(call: Call, translation: Translation): void {
  const [condition = ""] = call.variables("Condition");
  const [then = -1, otherwise = -1] = call.numbers("blocks") ?? [];
  const body = isTrue(call, translation, condition) ? then : otherwise;
  give(call, translation, translation.yieldOf(body));
}

/** PIR's `while`: its body is given what it yielded before, the next condition first. */
function runLoop(call: Call, translation: Translation): void {
  let [condition = "", ...carried] = [...call.variables("Condition"), ...call.variables("X")];
  const [body = -1] = call.numbers("blocks") ?? [];
  const given = call.texts("arguments");
  for (let turn = 0; isTrue(call, translation, condition); turn++) {
    if (turn >= mostTurns) throw call.refusal("it does not end", "export the model without it");
    translation.copyAll(carried, given);
    [condition = "", ...carried] = translation.yieldOf(body);
  }
  give(call, translation, carried);
}

function give(call: Call, translation: Translation, variables: readonly string[]): void {
  translation.copyAll(variables, call.operator.outputs.get("Out") ?? []);
}

function yieldValues(call: Call, translation: Translation): void {
  translation.yielded = [...call.operator.inputs.values()].flat();
}

function createArray(call: Call, translation: Translation): void {
  translation.array(call.output("Out"));
}

/** Of values that branches made, the one that the mask picks; the other may not exist. */
function selectInput(call: Call, translation: Translation): void {
  const mask = call.contents(call.input("Mask"))[0] ?? 0;
  const chosen = call.variables("X")[mask];
  if (chosen === undefined) throw call.refusal("its mask is out of range", "export again");
  translation.copy(chosen, call.output("Out"));
}

function writeToArray(call: Call, translation: Translation): void {
  const place = call.contents(call.input("I"))[0] ?? 0;
  const [array = call.output("Out")] = call.variables("Array");
  translation.array(array)[place] = call.input("X");
}

function readFromArray(call: Call, translation: Translation): void {
  const place = call.contents(call.input("I"))[0] ?? 0;
  const [name = ""] = call.variables("X");
  const value = translation.array(name)[place];
  if (value === undefined) throw call.refusal(`array ${name} has no item ${place}`, "export again");
  translation.set(call.output("Out"), value);
}

function arrayLength(call: Call, translation: Translation): void {
  const [name = ""] = call.variables("X");
  const { length } = translation.array(name);
  translation.set(call.output("Out"), call.graph.constant("int64", [length]));
}

function arrayToTensor(call: Call, translation: Translation): void {
  const [name = ""] = call.variables("X");
  const items = translation.array(name);
  const axis = call.number("axis", 0);
  const stacked = call.flag("use_stack", false);
  if (items.length === 0) throw call.refusal(`array ${name} is empty`, "export the model again");
  const places = call.ints64([axis]);
  const parts = stacked ? items.map((item) => call.graph.node("Unsqueeze", [item, places])) : items;
  translation.set(call.output("Out"), call.node("Concat", parts, { axis }));
}

/** Also between arrays. */
function assign(call: Call, translation: Translation): void {
  const [from = ""] = call.variables("X");
  translation.copy(from, call.output("Out"));
}

/** Operators that this file runs, also where they are in the table as plain ones. */
export function controlOf(operator: Operator): Control | undefined {
  return controls[operator.type];
}
