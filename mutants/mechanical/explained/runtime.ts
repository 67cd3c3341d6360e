import type { Explained } from "../explain.js";

const ONE_INSTANT = "one instant: either is as good";

/** The survivors of the runtime that are known: what lives on here is what could be there as well. */
export const OF_RUNTIME: readonly Explained[] = [
  {
    file: "src/runtime/swap/attempts.ts",
    search: 'condition.kind === "if-absent" || condition',
    replace: "false || condition",
    why: "a create names no ETag, and none is another than any that is seen",
  },
  {
    file: "src/runtime/swap/attempts.ts",
    search: 'condition.kind === "if-absent" || condition',
    replace: 'condition.kind === "" || condition',
    why: "a create names no ETag, and none is another than any that is seen",
  },
  {
    file: "src/runtime/acquire/confirm.ts",
    search: "if (reading !== undefined && isTimed",
    replace: "if (true && isTimed",
    why: "without a reading nothing is left, which is never enough: the condition is for the compiler",
  },
  {
    file: "src/runtime/hold/lease.ts",
    search: "delayMs > LOOK_MS ?",
    replace: "delayMs >= LOOK_MS ?",
    why: ONE_INSTANT,
  },
  {
    file: "src/runtime/swap/tries.ts",
    search: 'stillContested(this.#lockName ?? ""',
    replace: 'stillContested(this.#lockName ?? "Stryker was here!"',
    why: "what has no name is a listing, which writes nothing and comes second to nobody",
  },
  {
    file: "src/runtime/swap/tries.ts",
    search: 'lockName: this.#lockName ?? ""',
    replace: 'lockName: this.#lockName ?? "Stryker was here!"',
    why: "what has no name is a listing, which writes nothing and is refused nothing",
  },
  {
    file: "src/runtime/swap/tries.ts",
    search: "stallingMs >= UNSAFE_AFTER_MS",
    replace: "stallingMs > UNSAFE_AFTER_MS",
    why: ONE_INSTANT,
  },
  {
    file: "src/runtime/swap/tries.ts",
    search: "this.#failingSinceMs < MENTION_AFTER_MS",
    replace: "this.#failingSinceMs <= MENTION_AFTER_MS",
    why: ONE_INSTANT,
  },
];
