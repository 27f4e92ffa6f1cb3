// For whoever changes the generator: `node datasets/mini/maintain.mjs samples` renews samples.jpg, `… expected` commits the hashes of what is rendered now,
// `… draws 1 2 3` renders further draws of mini-test: other scenes by the same rules, to see whether figures on mini-test hold.
import { ensureBuilt } from "../../build.mjs";

const jobs = {
  samples: async () => { await (await import("../../dist/datasets/mini/contact-sheet.js")).writeContactSheet(); },
  expected: async () => { await (await import("../../dist/datasets/mini/prepare.js")).writeExpected(); },
  draws: async () => { console.log((await (await import("../../dist/datasets/mini/prepare.js")).renderDraws(process.argv.slice(3).map(Number))).join("\n")); },
};
const job = jobs[process.argv[2]];
if (!job) {
  console.error(`usage: node datasets/mini/maintain.mjs ${Object.keys(jobs).join("|")}`);
  process.exit(2);
}
await ensureBuilt();
await job();
