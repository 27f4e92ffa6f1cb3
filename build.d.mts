/** Brings dist/ up to date; resolves to whether it had to. */
export function ensureBuilt(): Promise<boolean>;
