import type { GateDocument } from "../../eval/gate/gate-record.js";
import type { LimitResult } from "../../eval/gate/limits.js";
import { headline, limitRows } from "../../eval/gate/limit-rows.js";

/** What machines and pull requests read of a gate: JUnit XML, Markdown, GitHub's annotations. */

/**
 * JUnit XML as CI systems read it: a test case a limit, a failure where it is broken; where it
 * could not be told, a failure or a skipped case as the gate's config counts it.
 */
export function junitXml(document: GateDocument): string {
  const { limits, accepted, gate } = document;
  const failed = (l: LimitResult): boolean =>
    l.verdict === "fail" || (l.verdict === "cannot tell" && !accepted);
  const skipped = (l: LimitResult): boolean => l.verdict === "cannot tell" && accepted;
  const cases = limits.map((l) => {
    const name = [l.measure, l.dataset].filter(Boolean).join(" on ");
    const head = `    <testcase classname="${xml(`gate.${gate}`)}" name="${xml(name)}"`;
    if (failed(l)) {
      const failure = `<failure type="${xml(l.verdict)}" message="${xml(l.why)}"/>`;
      return `${head}>\n      ${failure}\n    </testcase>`;
    }
    if (skipped(l)) return `${head}>\n      <skipped message="${xml(l.why)}"/>\n    </testcase>`;
    return `${head}/>`;
  });
  const [failures, skips] = [limits.filter(failed).length, limits.filter(skipped).length];
  const counts = `tests="${limits.length}" failures="${failures}" skipped="${skips}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${xml(`gate ${gate}`)}" ${counts}>`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function xml(text: string): string {
  // Characters that XML 1.0 has no way to write are left out.
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/[\t\n\r]/g, " ");
}

const marks = { pass: "✅", fail: "❌", "cannot tell": "❔" } as const;

/** A summary for a pull request's comment. */
export function markdown(document: GateDocument): string {
  const { verdict, diagnosis, datasets } = document;
  const rows = limitRows(document).map((r) =>
    [
      `${marks[r.verdict as keyof typeof marks]} ${r.verdict}`,
      [r.measure, r.dataset].filter(Boolean).join(" on "),
      r.baseline,
      r.candidate,
      r.value,
      r.limit,
      r.n,
    ]
      .map(cell)
      .join(" | "),
  );
  const flips = datasets.flatMap((d) =>
    d.flips
      .filter((f) => f.direction === "lost")
      .slice(0, 5)
      .map((f) => [f.item, f.truth, f.baseline, f.candidate].map(cell).join(" | ")),
  );
  const parts = [
    `### ${marks[verdict]} ${escaped(headline(document))}`,
    diagnosis ? `**Where it broke:** ${escaped(diagnosis.sentence)}` : "",
    [
      "| verdict | measure | baseline | candidate | difference or value | limit | n |",
      "|---|---|--:|--:|--:|---|--:|",
      ...rows.map((r) => `| ${r} |`),
    ].join("\n"),
    flips.length === 0
      ? ""
      : [
          "<details><summary>Some of what was lost</summary>\n",
          "| item | truth | baseline said | candidate said |",
          "|---|---|---|---|",
          ...flips.map((f) => `| ${f} |`),
          "\n</details>",
        ].join("\n"),
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function cell(text: string | null): string {
  return text === null ? "-" : escaped(text).replace(/\|/g, "\\|");
}

/** Labels and file names are hostile: no markup, no mention and no line break passes. */
function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f]/g, " ")
    .replace(/[\\`*_[\]#~]/g, "\\$&")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/@/g, "&#64;");
}

/** GitHub's workflow commands: an error a broken limit, a warning where it could not be told. */
export function annotations({ limits, accepted, diagnosis, gate }: GateDocument): string[] {
  const open = limits.filter((l) => l.verdict !== "pass");
  const lines = open.map((l) => {
    const level = l.verdict === "fail" || !accepted ? "error" : "warning";
    const title = `gate ${gate}: ${[l.measure, l.dataset].filter(Boolean).join(" on ")}`;
    return `::${level} title=${property(title)}::${data(`${l.verdict}: ${l.why}`)}`;
  });
  if (diagnosis)
    lines.push(`::notice title=${property(`gate ${gate}`)}::${data(diagnosis.sentence)}`);
  return lines;
}

/** As GitHub's toolkit escapes messages and properties. */
function data(text: string): string {
  return text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

function property(text: string): string {
  return data(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
}
