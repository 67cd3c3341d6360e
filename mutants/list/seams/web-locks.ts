import type { Mutant } from "../../mutant.js";

const WAYS_OUT = "test/web-locks/ways-out.test.ts";
const QUERY = "test/web-locks/query.test.ts";
const LOST_UNNOTICED = "test/web-locks/lost-unnoticed.test.ts";

/** Requests of Web Locks that end and leave something behind. */
export const WEB_LOCKS: readonly Mutant[] = [
  {
    name: "a request of Web Locks that has ended is granted",
    why: "one that is aborted in the turn of its grant counts as undecided for good, and all requests of its manager wait for it",
    file: "src/web-locks/lock-request.ts",
    search: '    if (this.#stage === "over") return false;\n',
    replace: "",
    caughtBy: { test: "test/web-locks/lock-request.test.ts", named: "stays decided, and holds nothing" },
  },
  {
    name: "what an aborted request of Web Locks is granted is kept",
    why: "nothing gives back the lock of a request that was aborted in the turn of its grant",
    file: "src/web-locks/lock-manager.ts",
    search: "      asking.then(giveBack, () => {});\n",
    replace: "      asking.catch(() => {});\n",
    caughtBy: { test: WAYS_OUT, named: "those behind it come in" },
  },
  {
    name: "a granted request of Web Locks counts as waiting after two seconds",
    why: "callbacks are not called in the order of their requests where an earlier request takes its time",
    file: "src/web-locks/lock-manager.ts",
    search: "if (!decided.signal.aborted && request.isAsked) request.settle();",
    replace: "if (!decided.signal.aborted) request.settle();",
    caughtBy: { test: WAYS_OUT, named: "comes before what was asked for later" },
  },
  {
    name: "the signal is not heard in doubt",
    why: "a request whose lock is in doubt hears its signal only after the answer of the store",
    file: "src/web-locks/granted-lock.ts",
    search: "(lock as HeldLock | null)?.whenCertain()",
    replace: "undefined",
    caughtBy: { test: WAYS_OUT, named: "while the store is asked whether the lock is held" },
  },
  {
    name: "a request of Web Locks that waits for its turn does not hear its signal",
    why: "an aborted request ends only when all that was asked for before it is decided",
    file: "src/web-locks/granted-lock.ts",
    search: "[signal, lock?.signal]",
    replace: "[lock?.signal]",
    caughtBy: { test: WAYS_OUT, named: "by its signal at once" },
  },
  {
    name: "a grant of Web Locks that is not wanted any more is kept",
    why: "a request that ends while it waits for its turn leaves its lock held and renewed for good",
    file: "src/web-locks/granted-lock.ts",
    search: "    void giveBack(lock);\n",
    replace: "",
    caughtBy: { test: WAYS_OUT, named: "by its signal at once, and the lock is free" },
  },
  {
    name: "a steal that fails keeps what it was granted",
    why: "a steal whose last request is refused leaves the lock held and renewed, and its callback is not called",
    file: "src/web-locks/stealing.ts",
    search: "    return acquiring.catch(() => {\n      throw error;\n    });\n",
    replace: "    throw error;\n",
    caughtBy: { test: WAYS_OUT, named: "while its own release of the holder fails" },
  },
  {
    name: "a steal that its own release ended is not tried again",
    why: "a steal fails whose release of the holder comes so late that it ends what was granted to the steal meanwhile",
    file: "src/web-locks/stealing.ts",
    search: "if (standingOf(lock).loss === undefined) return lock;",
    replace: "return lock;",
    caughtBy: { test: WAYS_OUT, named: "its own release of the holder comes late" },
  },
  {
    name: "a steal asks once more",
    why: "each steal reads the lock when it has it already, and fails where that is refused",
    file: "src/web-locks/stealing.ts",
    search: "    if (!decided.aborted) isOurs = ",
    replace: "    isOurs = ",
    caughtBy: { test: WAYS_OUT, named: "asks nothing more once it was granted" },
  },
  {
    name: "a loss of a Web Lock that only the release tells is kept quiet",
    why: "a request resolves although its lock was stolen, ended by force, deleted or over while its callback ran",
    file: "src/web-locks/lock-manager.ts",
    search: '    if (lossOfWork.reason !== "closed") throw stolenOrLost(lossOfWork);\n',
    replace: '    if (lossOfWork.reason !== "closed") return result;\n',
    caughtBy: { test: LOST_UNNOTICED, named: "AbortError, with the loss as its cause" },
  },
  {
    name: "query() leaves out what it could not read",
    why: "a lock that is held is told as free, where the store does not answer for it",
    file: "src/web-locks/lock-manager.ts",
    search: "      if (problem !== undefined) throw notKnown(name, problem);\n",
    replace: "      if (problem !== undefined && notKnown(name, problem)) continue;\n",
    caughtBy: { test: QUERY, named: "it rejects, and names the lock" },
  },
  {
    name: "a close() of Web Locks that is refused closes all the same",
    why: "after a mistyped option every request is refused, and no lock was given back",
    file: "src/web-locks/lock-manager.ts",
    search: "    const checked = checkedCloseOptions(options);\n    this.#isClosed = true;\n",
    replace: "    this.#isClosed = true;\n    const checked = checkedCloseOptions(options);\n",
    caughtBy: { test: QUERY, named: "is refused, and closes nothing" },
  },
  {
    name: "query() that meets a close speaks of a mutex",
    why: "code for `navigator.locks` gets an error of another library, of an object that it does not know",
    file: "src/web-locks/lock-manager.ts",
    search: "    return this.#snapshot().catch((error) => {\n      throw inWordsOfManager(error);\n",
    replace: "    return this.#snapshot().catch((error) => {\n      throw error;\n",
    caughtBy: { test: QUERY, named: "rejects as a request does: AbortError" },
  },
];
