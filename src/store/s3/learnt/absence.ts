import type { ReadOutcome, RequestOptions } from "../../object-store.js";
import type { Bare404 } from "../answers/unproven.js";
import type { AbsenceState } from "../client/client-state.js";
import { type ProbeDeps, ProbeObject } from "./probe-object.js";

/** A server that fails at random gives itself away by one of so many answers. */
const ROUNDS = 3;

/**
 * Whether a 404 without S3's NoSuchKey means that the key is absent. An ingress answers like that for a store that it does not
 * reach, and a lock would be taken for free. So it is believed only from a store that was seen to answer like this: asked for
 * fresh keys of our own, right after it had stored an object of ours, and while it went on to show that one.
 */
export class Absence {
  readonly #state: AbsenceState;
  readonly #deps: ProbeDeps;

  constructor(state: AbsenceState, deps: ProbeDeps) {
    this.#state = state;
    this.#deps = deps;
  }

  /** Notes that the store has said NoSuchKey: it need not be asked how it says it, and what else says 404 is not the store. */
  named(): void {
    this.#state.looks = "named";
  }

  async judge(bare: Bare404, options: RequestOptions): Promise<ReadOutcome> {
    const state = this.#state;
    if (state.looks === undefined) {
      const probe = (state.probe as Promise<void> | undefined) ?? this.#probe(options);
      state.probe = probe;
      await probe;
    }
    const { timing } = bare.outcome;
    return state.looks === bare.looks && timing !== undefined ? { kind: "absent", timing } : bare.outcome;
  }

  async #probe(options: RequestOptions): Promise<void> {
    try {
      const object = new ProbeObject(this.#deps, options);
      const created = await object.create();
      if (created.kind === "refused" || (created.kind === "unknown" && !created.sent)) return;
      if (created.kind === "ok") await this.#compare(object, options);
      if (created.kind !== "conflict") await object.cleanUp();
    } finally {
      this.#state.probe = undefined;
    }
  }

  async #compare(object: ProbeObject, options: RequestOptions): Promise<void> {
    const { effects } = this.#deps;
    const untilMs = effects.monotonicMs() + options.timeoutMs;
    const seen = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      const missing = await new ProbeObject(this.#deps, options).read();
      if (missing.kind === "absent") return this.named();
      if (missing.kind !== "bare-404") return;
      seen.add(missing.looks);
      const found = await object.read();
      if (found.kind !== "ok" || found.body !== object.body || effects.monotonicMs() > untilMs) return;
    }
    const [looks] = seen;
    // Another request may have been answered NoSuchKey meanwhile.
    if (seen.size === 1 && this.#state.looks === undefined) this.#state.looks = looks;
  }
}
