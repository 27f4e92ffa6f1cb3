import { html } from "npm:htl";

/** A labelled slider over given steps, for Framework's `view`: its value is the chosen step. */
export function stepSlider(
  label: string,
  steps: readonly number[],
  initial: number,
  format: (step: number) => string,
): HTMLElement & { value: number } {
  const start = Math.max(0, steps.indexOf(initial));
  const input = html`<input
    type="range"
    min="0"
    max=${steps.length - 1}
    step="1"
    value=${start}
    aria-valuetext=${format(steps[start]!)}
  />` as HTMLInputElement;
  const output = html`<output>${format(steps[start]!)}</output>`;
  const field = html`<label class="field"
    ><span class="row"><span>${label}</span>${output}</span>${input}</label
  >` as HTMLElement & { value: number };
  field.value = steps[start]!;
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    field.value = steps[Number(input.value)]!;
    output.textContent = format(field.value);
    input.setAttribute("aria-valuetext", format(field.value));
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return field;
}

export function checkbox(label: string): HTMLElement & { value: boolean } {
  const input = html`<input type="checkbox" />` as HTMLInputElement;
  const field = html`<label class="field check"
    >${input}<span>${label}</span></label
  >` as HTMLElement & { value: boolean };
  field.value = false;
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    field.value = input.checked;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return field;
}

/** A text field that reports after the reader pauses. */
export function search(label: string, placeholder: string): HTMLElement & { value: string } {
  const input = html`<input type="search" placeholder=${placeholder} />` as HTMLInputElement;
  const field = html`<label class="field"><span>${label}</span>${input}</label>` as HTMLElement & {
    value: string;
  };
  field.value = "";
  let timer = 0;
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    clearTimeout(timer);
    timer = setTimeout(() => {
      field.value = input.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }, 150) as unknown as number;
  });
  return field;
}

/**
 * Up to `count` steps that cut the range of some figures into the reader's terms: every distinct
 * value, rounded up to two digits.
 */
export function steps(values: readonly number[], count = 40): number[] {
  const rounded = [
    ...new Set(
      values.map((v) => {
        const power = 10 ** (Math.floor(Math.log10(v)) - 1);
        return Number((Math.ceil(v / power) * power).toPrecision(4));
      }),
    ),
  ].sort((a, b) => a - b);
  return rounded.length <= count
    ? rounded
    : Array.from(
        { length: count },
        (_, i) => rounded[Math.round((i * (rounded.length - 1)) / (count - 1))]!,
      );
}
