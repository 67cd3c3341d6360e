import type { Explained } from "../explain.js";

const ONE_INSTANT = "one instant: either is as good";
const POSSIBLE = "what is neither none nor listed is possible: no code asks for that word";

/** The survivors of the runtime that are known: what lives on here is what could be there as well. */
export const OF_RUNTIME: readonly Explained[] = [
  {
    file: "src/runtime/hold/standing.ts",
    search: "if (!this.#told.signal.aborted) this",
    replace: "if (true) this",
    why: "what is aborted already stays as it is: the condition saves making an error",
  },
  {
    file: "src/runtime/hold/renewals.ts",
    search: "if (swapped !== undefined && reply",
    replace: "if (true && reply",
    why: "there is no reply where nothing was swapped: the condition is for the compiler",
  },
  {
    file: "src/runtime/swap/write-log.ts",
    search: 'etag = condition.kind === "if-match" ?',
    replace: "etag = true ?",
    why: "a create names no ETag: the condition is for the compiler",
  },
  {
    file: "src/runtime/acquire/confirm.ts",
    search: 'next === "hand-out" && reading !== undefined',
    replace: 'next === "hand-out" && true',
    why: "nothing is handed out of which it is forgotten since when it counts: the condition is for the compiler",
  },
  {
    file: "src/runtime/base/store-clock.ts",
    search: "this.#bounds?.agreement",
    replace: "this.#bounds.agreement",
    why: "without bounds there is no witness, which is asked first: the question mark is for the compiler",
  },
  {
    file: "src/runtime/hold/lease.ts",
    search: "if (error === undefined) return;\n    this.nest",
    replace: "if (false) return;\n    this.nest",
    why: "what is lost already is not told once more (core/client/hold.ts): the condition is for the compiler",
  },
  {
    file: "src/runtime/hold/lease.ts",
    search: 'this.lose("closed")',
    replace: 'this.lose("")',
    why: "what was left to run out is lost as closed, whatever the caller says (Standing.lose)",
  },
  {
    file: "src/runtime/hold/lease-clock.ts",
    search: "this.untilLostMs > 0 && isNew",
    replace: "this.untilLostMs >= 0 && isNew",
    why: "a doubt that begins has time left: where there is none the lease is over, which is not a doubt",
  },
  {
    file: "src/runtime/hold/lease-timer.ts",
    search: "delayMs > WATCH_MS ?",
    replace: "delayMs >= WATCH_MS ?",
    why: ONE_INSTANT,
  },
  {
    file: "src/runtime/swap/retry-budget.ts",
    search: "#seen: Version = { etag: undefined };",
    replace: "#seen: Version = {};",
    why: "what has no ETag has none either way: the word is for the compiler",
  },
  {
    file: "src/runtime/swap/retry-budget.ts",
    search: 'stillContested(this.#lockName ?? ""',
    replace: 'stillContested(this.#lockName ?? "Stryker was here!"',
    why: "what has no name is a listing, which writes nothing and comes second to none",
  },
  {
    file: "src/runtime/swap/retry-budget.ts",
    search: 'lockName: this.#lockName ?? ""',
    replace: 'lockName: this.#lockName ?? "Stryker was here!"',
    why: "what has no name is a listing, which writes nothing and is refused nothing",
  },
  {
    file: "src/runtime/swap/retry-budget.ts",
    search: "this.#endMs <= this.#nowMs() + 1",
    replace: "this.#endMs < this.#nowMs() + 1",
    why: "a timer that is early by just one millisecond: either is as good",
  },
  {
    file: "src/runtime/swap/retry-budget.ts",
    search: "lockName === undefined ? {}",
    replace: "false ? {}",
    why: "an error whose lock is undefined has no lock, as one that is made without",
  },
  {
    file: "src/runtime/acquire/restore.ts",
    search: 'entry: "possible"',
    replace: 'entry: ""',
    why: POSSIBLE,
  },
  {
    file: "src/runtime/swap/retry-budget.ts",
    search: "stallingMs >= UNSAFE_AFTER_MS",
    replace: "stallingMs > UNSAFE_AFTER_MS",
    why: ONE_INSTANT,
  },
];
