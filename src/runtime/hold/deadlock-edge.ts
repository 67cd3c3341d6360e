import { identityOf } from "../../core/record.js";
import type { CycleEdge } from "../../core/waits/deadlock.js";
import type { DeadlockEdge } from "../../errors.js";

/** Describes a step of a cycle, as the error tells it. */
export function toPublicEdge({ lockName, holder }: Pick<CycleEdge, "lockName" | "holder">): DeadlockEdge {
  const { owner, token, priority } = holder;
  return {
    lockName,
    owner,
    fencingToken: token,
    priority,
    ...identityOf(holder),
  };
}
