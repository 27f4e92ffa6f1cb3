import { html } from "npm:htl";
import { formatBytes, formatDuration, formatTime } from "../analysis/format.js";
import type { CompletedCell, RecordView } from "../analysis/record-view.js";

/** Under what a record was made: time, commit, machine, versions. */
export function provenance(record: RecordView): HTMLElement {
  const { provenance: p, experiment: e } = record;
  const groups: [string, [string, string][]][] = [
    [
      "Run",
      [
        ["Record", record.key],
        ["Started", formatTime(p.startedAt)],
        ["Took", formatDuration(p.startedAt, p.finishedAt)],
        ["Protocol", e.protocol],
        ["Experiment", `${e.name}, version ${e.version}`],
        ["Config hash", e.configHash.slice(0, 12)],
        ["Tool", p.tool],
        ["Commit", p.commit ?? "not in a checkout"],
      ],
    ],
    ["Machine", machineFacts(p.machine)],
    ["Versions", Object.entries(p.versions)],
  ];
  const list = ([title, rows]: (typeof groups)[number]): HTMLElement => {
    const unknown = rows.filter(([, value]) => value.startsWith("unknown"));
    return html`<section>
      <h3>${title}</h3>
      <dl>
        ${rows
          .filter(([, value]) => value !== "" && !value.startsWith("unknown"))
          .map(
            ([name, value]) =>
              html`<div>
                <dt>${name}</dt>
                <dd>${value}</dd>
              </div>`,
          )}
      </dl>
      ${
        unknown.length === 0
          ? null
          : html`<details class="as-table">
              <summary>${unknown.length} not known</summary>
              <dl>
                ${unknown.map(
                  ([name, value]) =>
                    html`<div>
                      <dt>${name}</dt>
                      <dd>${value.replace(/^unknown:? ?/, "")}</dd>
                    </div>`,
                )}
              </dl>
            </details>`
      }
    </section>`;
  };
  return html`<div class="facts">
    <div>${list(groups[0]!)}${list(groups[2]!)}</div>
    <div>${list(groups[1]!)}</div>
  </div>`;
}

/** `memoryBytes` as `Memory`, 23.4 GiB; nested facts with their parents' names; long lists cut. */
export function machineFacts(machine: unknown, prefix = ""): [string, string][] {
  if (typeof machine !== "object" || machine === null)
    return machine === undefined || machine === null
      ? []
      : [[prefix || "machine", String(machine)]];
  return Object.entries(machine).flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}${prefix ? ", " : ""}${words(key)}`;
    if (value === null) return [[name, "unknown"]];
    // A fact of the record: { value } or { value: null, why }.
    if (typeof value === "object" && "value" in value)
      return value.value === null
        ? [[name, `unknown: ${String((value as { why?: unknown }).why ?? "")}`]]
        : machineFacts({ [key]: value.value as unknown }, prefix);
    if (Array.isArray(value))
      return [
        [
          name,
          value
            .map((x) => (typeof x === "number" && !Number.isInteger(x) ? x.toFixed(2) : String(x)))
            .join(", ")
            .slice(0, 160),
        ],
      ];
    if (typeof value === "object") return machineFacts(value, name);
    if (typeof value === "number" && /bytes$/i.test(key))
      return [[name.replace(/ bytes$/i, ""), formatBytes(value)]];
    if (typeof value === "boolean") return [[name, value ? "yes" : "no"]];
    return [
      [
        name,
        typeof value === "number" && !Number.isInteger(value) ? value.toFixed(2) : String(value),
      ],
    ];
  });
}

function words(key: string): string {
  const text = key
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/^(cpu|os)\b/, (word) => word.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What must be equal for times of two records to compare; null where a record does not say. */
export function processorOf(machine: unknown): string | null {
  const facts = Object.fromEntries(machineFacts(machine));
  return facts["CPU model"] ?? facts.CPU ?? null;
}

/** What timed cells were measured on: `Measured on CPU, 2 threads.` */
export function processorLine(record: RecordView, cells: readonly CompletedCell[]): HTMLElement {
  const processor = processorOf(record.provenance.machine);
  const { threads } = cells[0]?.labels ?? {};
  const counted = threads ? `, ${threads} ${threads === "1" ? "thread" : "threads"}` : "";
  return html`<p class="muted">
    Measured on ${processor ?? "a machine that the record does not name"}${counted}. Times of
    different machines do not compare.
  </p>`;
}
