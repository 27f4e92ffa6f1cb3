import { parseDocument, visit, type Document } from "yaml";
import type { z } from "zod";
import { UserError } from "./errors.js";
import { readStrictText } from "./strict-text.js";

export { unreadable } from "./errors.js";

/**
 * Reads a YAML file into a strict schema. Errors name file, key path, what was expected, what was
 * found.
 */
export async function readYaml<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  return parseYaml(await readStrictText(file), file, schema);
}

/** The same for text at hand; `file` is only named in errors. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): T {
  return parseValue(yamlValue(text, file), file, schema);
}

/**
 * What a YAML text says, as plain values.
 *
 * @throws UserError `yaml-syntax` with line and column where it can be told: what is no YAML, an
 * alias of nothing, of itself, or one that grows without end.
 */
export function yamlValue(text: string, file: string): unknown {
  // 100 aliases at most: an alias bomb is refused, not expanded.
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem) {
    throw new UserError({
      code: "yaml-syntax",
      message: problem.message.split("\n")[0] ?? "not YAML",
      file,
      fix: "mend the YAML at that place",
    });
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new UserError({
      code: "yaml-syntax",
      message: (error as Error).message,
      file,
      path: placeOfAlias(document, text),
      fix: "write the repeated values out",
    });
  }
  if (isCircular(value, [])) {
    throw new UserError({
      code: "yaml-syntax",
      message: "a value that holds itself",
      file,
      path: placeOfAlias(document, text),
      fix: "write the repeated values out",
    });
  }
  return value;
}

/** `line L, column C` of the first alias that names no anchor before it, else of the first one. */
function placeOfAlias(document: Document, text: string): string {
  const anchors = new Set<string>();
  let at: number | undefined;
  let strange: number | undefined;
  visit(document, {
    Alias(_, { source, range }) {
      at ??= range?.[0];
      if (!anchors.has(source)) strange ??= range?.[0];
    },
    Value(_, { anchor }) {
      if (anchor !== undefined) anchors.add(anchor);
    },
  });
  const before = text.slice(0, strange ?? at ?? 0).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

function isCircular(value: unknown, around: readonly unknown[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (around.includes(value)) return true;
  const within = [...around, value];
  return Object.values(value).some((part) => isCircular(part, within));
}

/** Checks a value at hand against a strict schema. */
export function parseValue<T>(value: unknown, file: string, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  // A mistyped key is told before the key that it leaves missing.
  const { issues } = result.error;
  const issue = deepest(
    issues.some((i) => i.code === "unrecognized_keys")
      ? issues.filter((i) => i.code === "unrecognized_keys")
      : issues,
  );
  const path = issue.path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
  if (issue.code === "unrecognized_keys") {
    throw new UserError({
      code: "schema",
      message:
        `unknown key${issue.keys.length > 1 ? "s" : ""} ` +
        `${issue.keys.map((k) => JSON.stringify(k)).join(", ")}`,
      file,
      ...(path && { path }),
      fix: "remove or correct it; the schema is strict so that a typing error cannot pass unseen",
    });
  }
  throw new UserError({
    code: "schema",
    message: issue.message.replace(/^Invalid input: /, ""),
    file,
    path: path || "(top level)",
    found: show(issue.input),
  });
}

type Issue = z.core.$ZodIssue;

/** In a failed union the branch that got furthest says most. */
function deepest(issues: readonly Issue[]): Issue {
  const flat = issues.flatMap((issue): Issue[] => {
    if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
    const best = issue.errors
      .filter((e) => e.length > 0)
      .map((e) => deepest(e))
      .sort((a, b) => b.path.length - a.path.length)[0];
    return best && best.path.length > 0
      ? [{ ...best, path: [...issue.path, ...best.path] } as Issue]
      : [issue];
  });
  return flat[0] ?? (issues[0] as Issue);
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
