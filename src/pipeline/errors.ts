/** Errors that are the user's to mend. Anything else that is thrown is ours (exit code 3). */

export interface Complaint {
  /** Stable, kebab-case, for machines: `image-unreadable`, `card-mismatch`. */
  readonly code: string;
  /** What is wrong, in one sentence without a final full stop. */
  readonly message: string;
  /** The file it is about. */
  readonly file?: string;
  /** Where in the file: a key path, a line, a row. */
  readonly path?: string;
  readonly expected?: string;
  readonly found?: string;
  /** What to do about it. */
  readonly fix?: string;
}

export class UserError extends Error {
  override readonly name = "UserError";
  readonly complaint: Complaint;

  constructor(complaint: Complaint, options?: ErrorOptions) {
    super(describe(complaint), options);
    this.complaint = complaint;
  }

  get code(): string {
    return this.complaint.code;
  }
}

/** `file: path: message (expected …, found …). Fix: …` on one line, control characters escaped. */
export function describe({ message, file, path, expected, found, fix }: Complaint): string {
  const where = [file, path].filter((part) => part !== undefined).join(": ");
  const detail = [expected && `expected ${expected}`, found && `found ${found}`]
    .filter(Boolean)
    .join(", ");
  const text = [
    where && `${where}: `,
    message,
    detail && ` (${detail})`,
    fix && `. Fix: ${fix}`,
  ].join("");
  // Labels and file names are hostile until shown otherwise: no terminal escape passes.
  return text
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, shownMark)
    .replace(directionMarks, shownMark);
}

/** Marks that turn the direction of what follows: a name with them reads as another. */
export const directionMarks = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A character as \\xNN, or \\uNNNN. */
export function shownMark(mark: string): string {
  const hex = mark.charCodeAt(0).toString(16);
  return hex.length > 2 ? `\\u${hex.padStart(4, "0")}` : `\\x${hex.padStart(2, "0")}`;
}

/** `list` as `a, b or c`, for messages that name the valid choices. */
export function oneOf(list: readonly string[]): string {
  return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} or ${list.at(-1)}`;
}

/** A missing or forbidden file in the user's terms. */
export function unreadable(file: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const errno = (error as NodeJS.ErrnoException).code;
  const said: Readonly<Record<string, readonly [string, string]>> = {
    ENOENT: ["no such file", "check the path"],
    ENOTDIR: ["a parent of that path is a file", "check the path"],
    EISDIR: ["is a folder, not a file", "check the path"],
    EACCES: ["may not be read", "change its permissions"],
    EPERM: ["may not be read", "change its permissions"],
    EMFILE: ["cannot be read: too many open files", "raise the limit with ulimit -n"],
    ENAMETOOLONG: ["a path that is too long", "give a shorter one"],
    ELOOP: ["a loop of symbolic links", "give another path"],
    EIO: ["the disk reported an error", "copy the file again from its source"],
    ENXIO: ["is no regular file", "give the path of a file on disk"],
    ERR_FS_FILE_TOO_LARGE: ["is too large to be read at once", "split it"],
  };
  const [message, fix] = said[errno ?? ""] ?? ["cannot be read", "check the path"];
  return new UserError({ code: "file-unreadable", message, file, fix }, { cause: error });
}
