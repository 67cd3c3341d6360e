/** A release that passes the lock on to a caller of its own process, where one waits. */
export interface Passing<Caller> {
  /** For whom the next write is; undefined: it is a plain release. */
  readonly to: Caller | undefined;
  /** For whom any was. */
  readonly tried: readonly Caller[];
}

export const NOT_PASSED: Passing<never> = { to: undefined, tried: [] };

/** Picks whom the next write is for: the one that it was tried with first, while that one waits, as that write may have landed. */
export function passingOn<Caller>(
  before: Passing<Caller>,
  isWaiting: (caller: Caller) => boolean,
  nextInLine: () => Caller | undefined,
): Passing<Caller> {
  const to = before.to !== undefined && isWaiting(before.to) ? before.to : nextInLine();
  const isNew = to !== undefined && !before.tried.includes(to);
  return { to, tried: isNew ? [...before.tried, to] : before.tried };
}

/** Names the callers that do not know what became of it: all but the one that a write was answered for, if one was. */
export function leftInDoubt<Caller>({ to, tried }: Passing<Caller>, isAnswered: boolean): readonly Caller[] {
  return tried.filter((caller) => !isAnswered || caller !== to);
}
