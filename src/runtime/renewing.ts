import type { Attempt } from "../core/attempt.js";
import type { LockRecord } from "../core/record.js";
import type { Decision } from "../core/transition/decision.js";
import { type RenewCommand, type RenewReply, renew } from "../core/transition/renew.js";

/** The renewal as a transition that remembers what it sent, to be applied until it is known to be done. */
export function renewing(
  command: Omit<RenewCommand, "attempted">,
): (record: LockRecord | undefined, attempt: Attempt) => Decision<RenewReply> {
  const attempted = new Set<string>();
  return (record, attempt) => {
    const decision = renew(record, { ...command, attempted }, attempt);
    attempted.add(attempt.writeId);
    return decision;
  };
}
