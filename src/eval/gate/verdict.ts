/** What a gate may say of a limit, and of all of them. */
export type Verdict = "pass" | "fail" | "cannot tell";

/** Fails where one failed, else cannot tell where one could not; passes only where all passed. */
export function inAll(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("fail")) return "fail";
  // Without a single limit nothing was promised, so nothing passes.
  if (verdicts.length === 0 || verdicts.includes("cannot tell")) return "cannot tell";
  return "pass";
}
