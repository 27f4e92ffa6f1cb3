import { html } from "npm:htl";
import { formatBytes, formatDuration, formatTime } from "../analysis/format.js";
import type { RecordView } from "../analysis/record-view.js";

/** Under what a record was made: time, commit, machine, versions. */
export function provenance(record: RecordView): HTMLElement {
  const { provenance: p, experiment: e } = record;
  const groups: [string, [string, string][]][] = [
    ["Run", [["Record", record.key], ["Started", formatTime(p.startedAt)], ["Took", formatDuration(p.startedAt, p.finishedAt)], ["Protocol", e.protocol], ["Experiment", `${e.name}, version ${e.version}`], ["Config hash", e.configHash.slice(0, 12)], ["Tool", p.tool], ["Commit", p.commit ?? "not in a checkout"]]],
    ["Machine", machineFacts(p.machine)],
    ["Versions", Object.entries(p.versions)],
  ];
  return html`<div class="facts">${groups.map(([title, rows]) => html`<section><h3>${title}</h3><dl>${rows.filter(([, value]) => value !== "").map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`)}</div>`;
}

/** `memoryBytes` as `Memory`, 23.4 GiB; nested facts with their parents' names; long lists cut. */
export function machineFacts(machine: unknown, prefix = ""): [string, string][] {
  if (typeof machine !== "object" || machine === null) return machine === undefined || machine === null ? [] : [[prefix || "machine", String(machine)]];
  return Object.entries(machine).flatMap(([key, value]): [string, string][] => {
    const name = `${prefix}${prefix ? ", " : ""}${words(key)}`;
    if (value === null) return [[name, "unknown"]];
    if (Array.isArray(value)) return [[name, value.map(String).join(", ").slice(0, 160)]];
    if (typeof value === "object") return machineFacts(value, name);
    if (typeof value === "number" && /bytes$/i.test(key)) return [[name.replace(/ bytes$/i, ""), formatBytes(value)]];
    return [[name, typeof value === "number" && !Number.isInteger(value) ? value.toFixed(2) : String(value)]];
  });
}

function words(key: string): string {
  const text = key.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return text === "cpu" || text === "os" ? text.toUpperCase() : text.charAt(0).toUpperCase() + text.slice(1);
}
