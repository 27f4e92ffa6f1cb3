/** The four outcomes of a command line. */
export const ExitCode = { ok: 0, belowBar: 1, input: 2, fault: 3 } as const;
