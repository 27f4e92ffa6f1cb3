/**
 * How PIR's operators are told in the terms of `ProgramDesc`: operands by place get the slot's
 * name, attributes that come as operands their attribute's name.
 */

export interface SignatureInput {
  readonly slot: string;
  /** The attribute that this operand is where it is a constant. */
  readonly attribute: string | null;
}

export interface Signature {
  /** `ProgramDesc`'s name of the operator. */
  readonly type: string;
  readonly inputs: readonly SignatureInput[];
  readonly outputs: readonly string[];
  /** PIR's names of attributes to `ProgramDesc`'s. */
  readonly renames: Readonly<Record<string, string>>;
}

/**
 * Writes a signature short. Inputs and outputs are slots separated by blanks; `ksize=` is an
 * operand that is the attribute of this name where it is constant, `shape=Shape` one whose slot is
 * called otherwise.
 */
export function signature(
  type: string,
  inputs: string,
  outputs: string,
  renames: Readonly<Record<string, string>> = {},
): Signature {
  return { type, inputs: words(inputs).map(input), outputs: words(outputs), renames };
}

function words(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

function input(word: string): SignatureInput {
  const [attribute = "", slot] = word.split("=");
  if (slot === undefined) return { slot: word, attribute: null };
  return { slot: slot === "" ? attribute : slot, attribute };
}
