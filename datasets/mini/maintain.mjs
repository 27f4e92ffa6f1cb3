// For whoever changes the generator: `node datasets/mini/maintain.mjs samples` renews samples.jpg,
// `… expected` commits the hashes of what is rendered now, `… draws 1 2 3` renders further draws of
// mini-test: other scenes by the same rules, to see whether figures on mini-test hold.
import { ensureBuilt } from "../../build.mjs";

const jobs = {
  samples: async () => {
    await (await import("../../dist/datasets/mini/contact-sheet.js")).writeContactSheet();
  },
  expected: async () => {
    await (await import("../../dist/datasets/mini/prepare.js")).writeExpected();
  },
  draws: async () => {
    console.log(
      (
        await (await import("../../dist/datasets/mini/prepare.js")).renderDraws(numbers.map(Number))
      ).join("\n"),
    );
  },
};
const job = jobs[process.argv[2]];
const numbers = process.argv.slice(3);
if (
  !job ||
  (process.argv[2] === "draws") !== numbers.length > 0 ||
  !numbers.every((n) => /^[1-9]\d*$/.test(n))
) {
  console.error("usage: node datasets/mini/maintain.mjs samples|expected|draws NUMBER…");
  process.exit(2);
}
await ensureBuilt();
await job();
