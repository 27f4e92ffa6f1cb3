import type { Detection } from "../types.js";
import type {
  DecodeContext,
  FormContext,
  FormOutput,
  FormRoles,
  RunOutputs,
} from "./detector-form.js";
import { detectorForms } from "./form-table.js";

export { detectorForms } from "./form-table.js";

export interface FormExplanation {
  readonly form: string | null;
  readonly roles: FormRoles | null;
  /** The reasoning, a sentence each; where no form fits, why each does not. */
  readonly why: readonly string[];
  readonly warnings: readonly string[];
}

/** Tells the export form from the shapes of all outputs, and says why. Names are only quoted. */
export function explainForm(
  outputs: readonly FormOutput[],
  context: FormContext = {},
): FormExplanation {
  const open = outputs.filter((o) => o.shape === null).map((o) => o.name);
  const unsaid = open.length > 0 ? [`no shape is stated for ${open.join(", ")}`] : [];
  const refusals: string[] = [];
  for (const form of detectorForms) {
    const found = form.recognise(outputs, context);
    if ("roles" in found) {
      const { roles, why, warnings } = found;
      return { form: form.name, roles, why, warnings: [...unsaid, ...warnings] };
    }
    refusals.push(`not ${form.name}: ${found.refusal}`);
  }
  return { form: null, roles: null, why: refusals, warnings: unsaid };
}

/** The form of a name: `raw (c)`. */
export function formLabel(name: string): string {
  return `${name} (${detectorForms.find((form) => form.name === name)?.letter ?? "?"})`;
}

/**
 * Boxes in pixels of the picture, not clipped, the best score first, by the form that the roles are
 * of.
 * @throws OutputError where an output has the wrong dimensions or holds NaN.
 */
export function decodeOutputs(
  roles: FormRoles,
  outputs: RunOutputs,
  context: DecodeContext,
): Detection[] {
  const form = detectorForms.find(({ name }) => name === roles.form);
  if (form === undefined) throw new RangeError(`no detector form is called ${roles.form}`);
  return form.decode(roles, outputs, context);
}
