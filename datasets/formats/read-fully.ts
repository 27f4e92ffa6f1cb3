import type { FileHandle } from "node:fs/promises";
import { UserError } from "../../src/pipeline/errors.js";

/** One read call at most; the kernel's own limit is just under 2 GiB. */
const mostBytes = 64 * 1024 * 1024;

/**
 * Fills `target` from `position` on.
 *
 * @throws UserError `file-changed` where the file ends before that (it was long enough when its
 * size was looked up).
 */
export async function readFully(
  handle: FileHandle,
  target: Uint8Array,
  position: number,
  file: string,
): Promise<void> {
  for (let done = 0; done < target.length;) {
    const { bytesRead } = await handle.read(
      target,
      done,
      Math.min(mostBytes, target.length - done),
      position + done,
    );
    if (bytesRead === 0) {
      throw new UserError({
        code: "file-changed",
        message: "the file became shorter while it was read",
        file,
        found: `its end at byte ${position + done}`,
        fix: "let nothing else write to it",
      });
    }
    done += bytesRead;
  }
}
