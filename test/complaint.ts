import { UserError, type Complaint } from "../src/pipeline/errors.js";

/**
 * The complaint that a piece of work ends in; fails the test where it ends well or in another kind
 * of error.
 */
export async function complaintOf(work: Promise<unknown> | (() => unknown)): Promise<Complaint> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    if (error instanceof UserError) return error.complaint;
    throw error;
  }
  throw new Error("expected a UserError, but the work succeeded");
}
