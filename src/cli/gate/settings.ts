import { UserError } from "../../pipeline/errors.js";

/** settings.photos=FOLDER, as other verbs take it, for the manifests. */
export function settingsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^settings\.([^=]+)=(.*)$/.exec(text) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new UserError({
        code: "bad-option",
        message: "--set takes settings.NAME=VALUE",
        found: text,
      });
    }),
  );
}
