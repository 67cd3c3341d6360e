import type { Findings } from "./findings.js";

interface Envelope {
  readonly token: number;
  readonly writeId: string;
  readonly content?: unknown;
}

/**
 * All versions of a fenced object form one chain, whatever any clock says: tokens do not fall, each change adds to what was
 * there before, and what its caller was told about a change is so. Contents are lists of the ids of changes.
 */
export class ChainChecker {
  readonly #findings: Findings;
  readonly #last = new Map<string, Envelope>();
  readonly #writeIds = new Set<string>();
  readonly #changes: { readonly key: string; readonly id: string; outcome: "made" | "not made" | "unknown" }[] = [];

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  landed(key: string, text: string | undefined): void {
    const before = this.#last.get(key);
    if (text === undefined) return this.#findings.report("chain", `${key} is removed`);
    const now = JSON.parse(text) as Envelope;
    this.#last.set(key, now);
    if (this.#writeIds.has(now.writeId)) this.#findings.report("chain", `${key}: ${now.writeId} is not new`);
    this.#writeIds.add(now.writeId);
    if (now.token < (before?.token ?? 0)) this.#findings.report("chain", `${key}: ${now.token} after ${before?.token}`);
    if (!Array.isArray(now.content)) return;
    const known = listOf(before);
    const isLonger = now.content.length - known.length <= 1 && known.every((id, at) => listOf(now)[at] === id);
    if (!isLonger)
      this.#findings.report("chain", `${key}: ${now.content.join(" ")} does not go on from ${known.join(" ")}`);
  }

  /** Notes that a task is about to change an object. The function returned is told what its caller learns of that. */
  change(key: string, id: string): (outcome: "made" | "not made") => void {
    const change = { key, id, outcome: "unknown" as "made" | "not made" | "unknown" };
    this.#changes.push(change);
    return (outcome) => {
      change.outcome = outcome;
    };
  }

  /** Checks a task with this token that is told to be fenced out: then a newer holder has been there by now. */
  fencedOut(key: string, token: number): void {
    const highest = this.#last.get(key)?.token ?? 0;
    if (highest <= token) this.#findings.report("fenced-out", `${key}: ${token}, and the highest token is ${highest}`);
  }

  /** Checks at the end, when nothing is under way any more. */
  check(): void {
    for (const { key, id, outcome } of this.#changes) {
      const times = listOf(this.#last.get(key)).filter((other) => other === id).length;
      if (times > 1) this.#findings.report("chain", `${key}: ${id} was made ${times} times`);
      if (outcome === "made" && times === 0) this.#findings.report("chain", `${key}: ${id} was made, and is lost`);
      if (outcome === "not made" && times > 0) this.#findings.report("chain", `${key}: ${id} was made, and denied`);
    }
  }
}

function listOf(envelope: Envelope | undefined): readonly unknown[] {
  return Array.isArray(envelope?.content) ? envelope.content : [];
}
