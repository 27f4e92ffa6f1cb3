// How often do intervals of AP that promise 95% hold it? Sets are drawn from populations of images;
// the truth is the mean AP of sets of that size.
//
//   npx tsx bench/coco-interval-coverage.ts [draws] [resamples]
import { apCoverage, type Population } from "../test/eval/metrics/coco/coco-coverage-scenario.js";
import { writeResult } from "./result.js";

const draws = Number(process.argv[2] ?? 2000);
const resamples = Number(process.argv[3] ?? 200);
const populations: Population[] = [
  { images: 60, categories: 1, objects: 3 },
  { images: 200, categories: 1, objects: 3 },
  { images: 300, categories: 5, objects: 4 },
  { images: 300, categories: 20, objects: 4 },
];

console.log(
  "| images | categories | mean AP | value -+ 1.96 standard errors | percentiles (not used) " +
    `|\n|--:|--:|--:|--:|--:|`,
);
const rows: [number, number, number, number, number][] = [];
for (const population of populations) {
  const { mean, aroundValue, percentile } = apCoverage(population, { draws, resamples });
  console.log(
    `| ${population.images} | ${population.categories} | ${mean.toFixed(4)} | ` +
      `${(100 * aroundValue).toFixed(1)}% | ${(100 * percentile!).toFixed(1)}% |`,
  );
  rows.push([population.images, population.categories, mean, aroundValue, percentile!]);
}
await writeResult({
  name: "coco-interval-coverage",
  title: "How often intervals of AP hold the truth",
  subject: "intervals",
  findings: [`Over ${draws} draws of ${resamples} resamples, seeded.`],
  tables: [
    {
      columns: [
        { head: "images", unit: "count" },
        { head: "categories", unit: "count" },
        { head: "mean AP", unit: "ratio" },
        { head: "∓ 1.96 standard errors", unit: "share" },
        { head: "percentiles (not used)", unit: "share" },
      ],
      rows,
    },
  ],
});
