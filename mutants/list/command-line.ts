import type { Mutant, NamedTest } from "../mutant.js";

const PARENT: NamedTest = { test: "test/waiting/held-by-parent.test.ts", named: "C4:" };
const HELD: NamedTest = { test: "test/cli/held-until-gone.test.ts", named: "P3:" };

/** Processes that run under a lock: `run` and `elect`. */
export const COMMAND_LINE: readonly Mutant[] = [
  {
    name: "released with the first process",
    why: "after a signal, the lock is given back when the command has ended, whatever it started goes on under nobody's lock",
    file: "src/cli/run/while-held.ts",
    search: "groupEnd.wasTold || diedOfSignal(ending) ? await groupEnd.complete() : true;",
    replace: "true;",
    caughtBy: HELD,
  },
  {
    name: "renewed until the signal",
    why: "the lock is given back when the command is asked to end",
    file: "src/cli/run/session.ts",
    search: "receive = (signal, isEnding) => running.receive(signal, isEnding);",
    replace: `receive = (signal, isEnding) => {
      if (isEnding) void held.release();
      running.receive(signal, isEnding);
    };`,
    caughtBy: HELD,
  },
  {
    name: "unwatched while the group ends",
    why: "nobody looks at the lease any more when the command itself has ended",
    file: "src/cli/run/while-held.ts",
    search: "const ending = await group.ended;",
    replace: "const ending = await group.ended;\n  stopGuard();",
    caughtBy: HELD,
  },
  {
    name: "overlooks what was started meanwhile",
    why: "a group counts as gone when one look saw nobody alive, though one process started the next and ended during it",
    file: "src/cli/process/group-looks.ts",
    search: "return living === undefined && areKnown;",
    replace: "return living === undefined;",
    caughtBy: { test: "test/cli/held-until-gone.test.ts", named: "P3: a group is gone only when" },
  },
  {
    name: "death by signal is an end",
    why: "what a command started that was killed goes on after the release",
    file: "src/cli/run/while-held.ts",
    search: "groupEnd.wasTold || diedOfSignal(ending) ?",
    replace: "groupEnd.wasTold ?",
    caughtBy: HELD,
  },
  {
    name: "deaf to the second signal",
    why: "who asks again waits as long as who asks once",
    file: "src/cli/process/group-end.ts",
    search: "if (isRepeated) {",
    replace: "if (isRepeated && this.#graceMs === -1) {",
    caughtBy: { test: "test/cli/group-end.test.ts", named: "asked again" },
  },
  {
    name: "waits for its parent",
    why: "a process that was started under a lock, and asks for it, waits for the end of what waits for it",
    file: "src/primitives/acquirer.ts",
    search: "tokensOfParents: this.#parentHolds.tokensOf(key),",
    replace: "",
    caughtBy: PARENT,
  },
  {
    name: "silent about its parent",
    why: "a place in the queue does not say what the processes around it hold, so nobody finds the cycle",
    file: "src/primitives/acquirer.ts",
    search: "holds: (waitedMs) => [...heldUp, ...scope.holdsWaitingFor(key, waitedMs)],",
    replace: "holds: (waitedMs) => scope.holdsWaitingFor(key, waitedMs),",
    caughtBy: PARENT,
  },
  {
    name: "any holder is its parent",
    why: "a hold of the parent that is over keeps a process from waiting for somebody else",
    file: "src/runtime/acquire/deadlock-watch.ts",
    search: "tokensOfParents.includes(holder.token) && isLive(holder)",
    replace: "isLive(holder)",
    caughtBy: PARENT,
  },
  {
    name: "ends while it only waits",
    why: "a process whose only work is a function that waits for its signal ends, with the lock held and the call never settled",
    file: "src/runtime/hold/standing.ts",
    search: "const letGo = this.#stayAlive();",
    replace: "const letGo = () => {};",
    caughtBy: { test: "test/api/process.test.ts", named: "C13:" },
  },
  {
    name: "a hold that was given back is its parent's",
    why: "what is kept for its holdAtLeastMs only is taken for a parent that waits",
    file: "src/runtime/acquire/deadlock-watch.ts",
    search: "!isReleased(holder) && !hasRunOut",
    replace: "!hasRunOut",
    caughtBy: PARENT,
  },
  {
    name: "slips are names",
    why: "x.json, ./x and their like are locks of their own, in silence",
    file: "src/cli/store/store-options.ts",
    search: "if (!isLiteral) refuseSlip(text, kind);",
    replace: "",
    caughtBy: { test: "test/cli/slips.test.ts", named: "C2:" },
  },
  {
    name: "an address with a variable that nobody has filled in",
    why: "s3://b/locks/$JOB in braces is a lock of its own, which all jobs share, and so is a name with a character that nobody sees",
    file: "src/cli/store/address.ts",
    search: "return problem === undefined ? strayIn(path) :",
    replace: "return problem === undefined ? undefined :",
    caughtBy: { test: "test/cli/slips.test.ts", named: "C2:" },
  },
  {
    name: "the store's prefix said twice",
    why: "locks/x where the store says locks/ is the lock locks/locks/x, in silence",
    file: "src/cli/store/store-options.ts",
    search: "if (!isLiteral) refuseRepeatedPrefix(text, store, kind);",
    replace: "",
    caughtBy: { test: "test/cli/slips.test.ts", named: "C2:" },
  },
  {
    name: "one remedy for all that is unavailable",
    why: "who has a wrong clock is told to look at the endpoint",
    file: "src/cli/failure.ts",
    search: "return NETWORK_REMEDIES.find(([pattern]) => pattern.test(message))?.[1];",
    replace: 'return message && NETWORK_REMEDIES && "Check --endpoint-url and the network, then try again.";',
    caughtBy: { test: "test/cli/mistakes.test.ts", named: "C5: the remedy fits what was seen" },
  },
  {
    name: "a store is advised to be a lock",
    why: "who has set S3_MUTEX_STORE wrongly is told to put the name of a lock in it",
    file: "src/cli/store/address.ts",
    search: 'splitUrl(text, "store");\n  if (keyPrefix !== undefined)',
    replace: 'splitUrl(text, "lock");\n  if (keyPrefix !== undefined)',
    caughtBy: { test: "test/cli/mistakes.test.ts", named: "a store has the form of a store" },
  },
];
