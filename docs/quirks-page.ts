import { quirkNames, quirks } from "../src/pipeline/protocol.js";

const head = `# Quirks

A **quirk** is an accident of PaddleClas's code that changes a number. The protocol \`standard\`
has none of them, \`paddleclas\` all ([protocols](protocols.md)); \`--quirks\` of
\`shitu eval retrieval\` and \`shitu eval f1\` shows what each that applies is worth. This page is
made of the table in \`src/pipeline/protocol.ts\` by \`npm run docs\`.

Compared with PaddleClas's own code (release/2.3, run on NumPy): 36 generated cases, all of
recall@1/5/10, mAP, mINP, precision@1/5/10 within 5e-7 (\`test/golden/paddleclas-retrieval\`).
`;

const tail = `## Not reproduced

On Windows release/2.3 drops the last batch of features (\`max_iter\`). An unreadable picture is
named, counted and missed under both protocols; PaddleClas takes a random other picture.

## What each is worth

Figures on the drink photos' features:
[measured](../measured.md#what-the-quirks-of-paddleclas-are-worth). Junk in place matters where
positives have negative similarity, which these seldom have. Where much ties the order of the sort
is worth most.
`;

/** docs/methodology/quirks.md, made of the table of quirks. */
export function quirksPage(): string {
  const rows = quirkNames.map((name) => {
    const { title, standardDoes, paddleclasDoes, where, since } = quirks[name];
    return [
      `## ${title[0]!.toUpperCase()}${title.slice(1)}`,
      "",
      `- \`standard\`: ${standardDoes}.`,
      `- \`paddleclas\`: ${paddleclasDoes}.`,
      `- Where: ${where}, since ${since}.`,
      "",
    ].join("\n");
  });
  return [head, ...rows, tail].join("\n");
}
