import { type Body, permitsOf } from "../plan/body.js";
import type { Findings } from "./findings.js";

/**
 * Of a semaphore with several records: whatever mixture of old and new shares there is, all limits together are never more than the
 * number was before or is from now on; nor are the permits that are out ever more than it has been.
 */
export class SharesChecker {
  readonly #findings: Findings;
  /** By the key of the first record, the numbers of permits, the latest last. */
  readonly #numbers = new Map<string, number[]>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  landed(key: string, last: (key: string) => Body | undefined): void {
    const anchorKey = key.replace(/\.part\d+\.json$/, ".json");
    const anchor = last(anchorKey);
    if (anchor?.limit === undefined) return;
    const shares = anchor.shares?.permits ?? [anchor.limit];
    const number = sumOf(shares);
    const numbers = this.#numbers.get(anchorKey) ?? [];
    this.#numbers.set(anchorKey, numbers);
    if (numbers.at(-1) !== number && !anchor.deleted) numbers.push(number);
    if (anchor.shares === undefined) return;
    const parts = shares.map((_, part) =>
      part === 0 ? anchor : last(anchorKey.replace(/\.json$/, `.part${part}.json`)),
    );
    const counted = parts.filter((part) => part?.shares !== undefined || part?.sharesVersion !== undefined);
    const limits = sumOf(counted.map((part) => part?.limit ?? 0));
    const largest = Math.max(...numbers.slice(-2));
    if (limits > largest) this.#findings.report("shares", `${anchorKey}: limits of ${limits} together, of ${largest}`);
    const out = sumOf(parts.map((part) => permitsOf(part?.holders ?? [])));
    const most = Math.max(...numbers);
    if (out > most) this.#findings.report("shares", `${anchorKey}: ${out} permits are out, of ${most}`);
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
