import type { LockRecord } from "../core/record.js";
import type { SafetyCheck } from "./safety-check.js";

/** What everything that takes or gives a grant asks of a check. */
export type GrantCheck = Pick<SafetyCheck, "isPassed" | "refusal" | "begin" | "passed" | "saw" | "wrote" | "stamped">;

/** `verify: "never"`, and `"once"`, which asks before anything else is sent. Proofs of others are carried along all the same. */
export const NO_CHECK: GrantCheck = {
  isPassed: true,
  refusal: undefined,
  begin() {},
  async passed() {},
  async saw() {},
  wrote() {},
  stamped: (_: string, record: LockRecord) => record,
};
