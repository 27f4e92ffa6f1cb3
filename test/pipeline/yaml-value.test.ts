import { expect, it } from "vitest";
import { yamlValue } from "../../src/pipeline/schema.js";
import { complaintOf } from "../complaint.js";

const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
for (let i = 0; i < 9; i++) bomb.push(`b${i}: &b${i} [${Array(10).fill(i ? `*b${i - 1}` : "*a")}]`);

it.each([
  ["an alias of nothing", "a: 1\nb: [x, *nope]\n", "line 2, column 8"],
  ["an alias that grows without end", bomb.join("\n"), "line 2, column 10"],
  ["a value that holds itself", "a: &a\n  b: *a\n", "line 2, column 6"],
])("refuses %s with its place", async (_, text, path) => {
  expect(await complaintOf(() => yamlValue(text, "c.yaml"))).toMatchObject({
    code: "yaml-syntax",
    file: "c.yaml",
    path,
  });
});

it("takes aliases that end", () => {
  expect(yamlValue("a: &a [1, 2]\nb: *a\n", "c.yaml")).toEqual({ a: [1, 2], b: [1, 2] });
});
