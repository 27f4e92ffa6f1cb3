import type { DetectorForm, FormRoles } from "../../src/pipeline/forms/detector-form.js";

interface ToyRoles extends FormRoles {
  readonly boxes: string;
}

/** Boxes [N, 5]: corners and a score, of one class. */
export const toyForm: DetectorForm<ToyRoles> = {
  name: "toy-form",
  letter: "t",
  recognise: ([boxes, ...others]) =>
    boxes?.shape?.length === 2 && boxes.shape[1] === 5 && others.length === 0
      ? {
          roles: { form: "toy-form", boxes: boxes.name, classes: 1 },
          why: [`${boxes.name} has rows of five`],
          warnings: [],
        }
      : { refusal: "no rows of five" },
  decode: ({ boxes }, { output }) => {
    const { data } = output(boxes);
    return Array.from({ length: data.length / 5 }, (_, i) => {
      const [x0, y0, x1, y1, score] = data.subarray(i * 5, i * 5 + 5) as unknown as number[];
      return { box: { x0: x0!, y0: y0!, x1: x1!, y1: y1! }, score: score!, classId: 0 };
    });
  },
};
