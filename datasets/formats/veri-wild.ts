import { dirname, join } from "node:path";
import { UserError } from "../../src/pipeline/errors.js";
import type { ListRow } from "./paddleclas-list.js";
import { readLines, type Line } from "./text-lines.js";

/** Whether a file's first line is a vehicle and a picture of it alone, as in VeRI-Wild's lists. */
export function isVeriWildList([first]: readonly Line[]): boolean {
  return first !== undefined && /^\d+\/\d+(\.jpg)?$/.test(first.text);
}

/**
 * Reads a list of VeRI-Wild as released (`test_3000.txt`, `test_3000_query.txt`): `vehicle/picture`
 * a line, without an ending; the cameras stand in `vehicle_info.txt` beside it. Label = vehicle,
 * uid = camera.
 *
 * Source: Lou et al., "VERI-Wild" (CVPR 2019), the release's `train_test_split`.
 *
 * @throws UserError `veri-wild-line` (names the line), `veri-wild-camera` where a picture has none.
 */
export async function readVeriWild(file: string): Promise<ListRow[]> {
  const info = join(dirname(file), "vehicle_info.txt");
  const cameras = new Map(
    (await readLines(info, "list-encoding")).map(({ text }) => {
      const [path = "", camera = ""] = text.split(";");
      return [path.trim(), camera.trim()];
    }),
  );
  return (await readLines(file, "list-encoding")).map(({ text, number }) => {
    const [, path, label] = /^((\d+)\/\d+)(?:\.jpg)?$/.exec(text) ?? [];
    if (path === undefined || label === undefined)
      throw new UserError({
        code: "veri-wild-line",
        message: "not a line of this list",
        file,
        path: `line ${number}`,
        expected: "vehicle/picture, as 00001/000001",
        found: text.slice(0, 80),
        fix: "restore the line from the release",
      });
    const uid = cameras.get(path);
    if (uid === undefined || !/^\d+$/.test(uid))
      throw new UserError({
        code: "veri-wild-camera",
        message: "the picture's camera is not known",
        file: info,
        path: `${file}, line ${number}`,
        expected: `a line ${path};CAMERA;…`,
        found: uid ?? "none",
        fix: "use vehicle_info.txt of the same release",
      });
    return { path: `${path}.jpg`, label, uid, line: number };
  });
}
