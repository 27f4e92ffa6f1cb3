import type { Command } from "commander";

/**
 * One verb a file: `verb` builds its commander command. An action may return an exit code; it
 * throws UserError for bad input.
 */
export interface Verb {
  build(command: Command): void;
}
