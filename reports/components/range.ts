import { html } from "npm:htl";
import { remember, remembered } from "./address.js";

let serial = 0;

/** A labelled slider over given steps, for Framework's `view`: its value is the chosen step. */
export function stepSlider(
  label: string,
  steps: readonly number[],
  initial: number,
  format: (step: number) => string,
): HTMLElement & { value: number } {
  const asked = Number(remembered(label) ?? NaN);
  const start = Math.max(0, steps.indexOf(steps.includes(asked) ? asked : initial));
  // An output can be labelled, too: without an id the label would be its, not the slider's.
  const id = `slider-${++serial}`;
  const input = html`<input
    id=${id}
    type="range"
    min="0"
    max=${steps.length - 1}
    step="1"
    value=${start}
    aria-valuetext=${format(steps[start]!)}
  />` as HTMLInputElement;
  const output = html`<output for=${id}>${format(steps[start]!)}</output>`;
  const field = html`<div class="field">
    <span class="row"><label for=${id}>${label}</label>${output}</span>${input}
  </div>` as HTMLElement & { value: number };
  field.value = steps[start]!;
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    field.value = steps[Number(input.value)]!;
    remember(label, field.value === initial ? null : String(field.value));
    output.textContent = format(field.value);
    input.setAttribute("aria-valuetext", format(field.value));
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return field;
}

export interface LimitOptions {
  readonly label: string;
  /** Shown behind the number, such as `ms`. */
  readonly unit: string;
  /** In the figure's own unit, ascending. */
  readonly steps: readonly number[];
  readonly initial: number;
  /** Of the figure's own unit in one of the shown unit: 2^20 bytes in a MiB. */
  readonly scale?: number;
}

/**
 * A limit by a slider over steps and a field with its unit, for any number between them; its value
 * is in the figure's own unit.
 */
export function limitField(options: LimitOptions): HTMLElement & { value: number } {
  const { label, unit, steps, initial, scale = 1 } = options;
  const shown = (value: number): string => String(Number((value / scale).toPrecision(4)));
  const start = Math.max(0, steps.indexOf(initial));
  const slider = html`<input
    type="range"
    min="0"
    max=${steps.length - 1}
    step="1"
    value=${start}
    aria-label=${label}
    aria-valuetext=${`${shown(steps[start]!)} ${unit}`}
  />` as HTMLInputElement;
  const number = html`<input
    type="number"
    min="0"
    step="any"
    value=${shown(steps[start]!)}
    aria-label=${`${label}, in ${unit}`}
  />` as HTMLInputElement;
  const field = html`<div class="field limit">
    <span class="row"><span>${label}</span><span class="amount">${number} ${unit}</span></span
    >${slider}
  </div>` as HTMLElement & { value: number };
  field.value = steps[start]!;
  const tell = (value: number): void => {
    field.value = value;
    slider.setAttribute("aria-valuetext", `${shown(value)} ${unit}`);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  slider.addEventListener("input", (event) => {
    event.stopPropagation();
    const value = steps[Number(slider.value)]!;
    number.value = shown(value);
    tell(value);
  });
  number.addEventListener("input", (event) => {
    event.stopPropagation();
    const value = number.valueAsNumber * scale;
    if (!Number.isFinite(value) || value < 0) return;
    slider.value = String(
      Math.max(
        0,
        steps.findLastIndex((step) => step <= value),
      ),
    );
    tell(value);
  });
  return field;
}

export function checkbox(label: string): HTMLElement & { value: boolean } {
  const input = html`<input type="checkbox" />` as HTMLInputElement;
  const field = html`<label class="field check"
    >${input}<span>${label}</span></label
  >` as HTMLElement & { value: boolean };
  input.checked = field.value = remembered(label) !== null;
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    field.value = input.checked;
    remember(label, input.checked ? "yes" : null);
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
  input.value = field.value = remembered(label) ?? "";
  let timer = 0;
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    clearTimeout(timer);
    timer = setTimeout(() => {
      field.value = input.value;
      remember(label, input.value === "" ? null : input.value);
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
