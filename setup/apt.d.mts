/** Types for the tests; see apt.mjs. */
export function oneLineToSource(text: string): string;
export function deb822ToSource(text: string): string;
export function sourceEntries(etcApt: string): { format: "list" | "sources"; text: string }[];
