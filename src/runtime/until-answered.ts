import type { UnknownOutcome } from "../store/object-store.js";
import type { Tries } from "./tries.js";

/** Asks until there is an answer, or the tries are used up. */
export async function untilAnswered<Outcome extends { readonly kind: string }>(
  tries: Tries,
  lockName: string,
  ask: () => Promise<Outcome>,
): Promise<Exclude<Outcome, UnknownOutcome>> {
  for (;;) {
    const outcome = await ask();
    if (isAnswer(outcome)) return outcome;
    await tries.failed(outcome as Outcome & UnknownOutcome, lockName);
  }
}

function isAnswer<Outcome extends { readonly kind: string }>(
  outcome: Outcome,
): outcome is Exclude<Outcome, UnknownOutcome> {
  return outcome.kind !== "unknown";
}
