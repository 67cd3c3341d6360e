import type { Findings } from "./findings.js";

export type HoldEventName = "acquired" | "renewed" | "lost" | "released";

/** Which hold an event is about. */
export interface Told {
  readonly lockName: string;
  readonly acquisitionId: string;
  readonly fencingToken: number;
}

/** A handle on a hold, as far as its holder has one. */
export interface Handle {
  readonly name: string;
  readonly fencingToken: number;
  readonly held: boolean;
  readonly signal: AbortSignal;
}

/**
 * What the listeners of one mutex hear of each hold: that it was acquired, first and once; then renewals; then one end, after
 * which they hear of it no more. A listener that hears of an end finds the handles on the hold ended already.
 */
export class EventChecker {
  readonly #findings: Findings;
  readonly #client: string;
  /** By acquisition, what was heard last. */
  readonly #heard = new Map<string, HoldEventName>();
  readonly #ended = new Set<string>();
  readonly #handles = new Map<string, Set<Handle>>();
  #isClosed = false;

  constructor(findings: Findings, client: string) {
    this.#findings = findings;
    this.#client = client;
  }

  hears(event: HoldEventName, told: Told): void {
    const { acquisitionId } = told;
    const before = this.#heard.get(acquisitionId);
    this.#heard.set(acquisitionId, event);
    if (isEnd(before) || (event === "acquired" && before !== undefined))
      this.#report(told, `hears "${event}" after "${before}"`);
    // What was left to run out is lost when its lease is over, and a release may be answered late.
    if (this.#isClosed && !isEnd(event)) this.#report(told, `hears "${event}" after "closed"`);
    if (!isEnd(event)) return;
    this.#ended.add(keyOf(told.lockName, told.fencingToken));
    for (const { held, signal } of this.#handles.get(keyOf(told.lockName, told.fencingToken)) ?? []) {
      if (held) this.#report(told, `hears "${event}" while its handle says that it is held`);
      if (event === "lost" && !signal.aborted) this.#report(told, 'hears "lost" before its signal is aborted');
    }
  }

  closed(): void {
    this.#isClosed = true;
  }

  /** Notes that a task has a handle; the function returned takes note that it is not looked at any more. */
  watch(handle: Handle): () => void {
    const key = keyOf(handle.name, handle.fencingToken);
    const handles = this.#handles.get(key) ?? new Set();
    this.#handles.set(key, handles);
    handles.add(handle);
    return () => handles.delete(handle);
  }

  /**
   * Checks, when a release has answered, that it was told by then that the hold has ended. One that a close did not wait for is false: its
   * hold runs out.
   */
  givenBack({ name, fencingToken }: Pick<Handle, "name" | "fencingToken">, answer: boolean): void {
    if (this.#ended.has(keyOf(name, fencingToken)) || (!answer && this.#isClosed)) return;
    this.#findings.report(
      "events",
      `${this.#client} has given ${name} back (token ${fencingToken}) and hears of no end`,
    );
  }

  #report({ lockName, fencingToken }: Told, what: string): void {
    this.#findings.report("events", `${this.#client} ${what} of ${lockName}, token ${fencingToken}`);
  }
}

const isEnd = (event: HoldEventName | undefined) => event === "lost" || event === "released";
const keyOf = (name: string, token: number) => `${name} ${token}`;
