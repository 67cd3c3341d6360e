import type { UnknownOutcome } from "../../store/object-store.js";
import type { RetryBudget, TimeLeft } from "./retry-budget.js";

/** Reads until there is an answer, or the tries are used up. */
export async function untilAnswered<Outcome extends { readonly kind: string }>(
  budget: RetryBudget,
  read: (left: TimeLeft) => Promise<Outcome>,
): Promise<Exclude<Outcome, UnknownOutcome>> {
  for (;;) {
    const outcome = await budget.answer(read, { isRead: true });
    if (isAnswer(outcome)) return outcome;
    await budget.afterFailure(outcome as UnknownOutcome);
  }
}

function isAnswer<Outcome extends { readonly kind: string }>(
  outcome: Outcome | UnknownOutcome,
): outcome is Exclude<Outcome, UnknownOutcome> {
  return outcome.kind !== "unknown";
}
