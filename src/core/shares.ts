import { type Attempt, isWaiting, mayBeTakenOver } from "./expiry.js";
import { type LockRecord, permitsOf, RECENT_TURNS, type Shares } from "./record.js";

/** What one of the records is to have, by the shares of this version. */
export interface Share {
  /** Which of the records: 0 for the anchor. */
  readonly part: number;
  readonly limit: number;
  readonly version: number;
}

/** How much goes into how many records. */
export interface Capacity {
  /** So many permits at most are in one record. */
  readonly inOne: number;
  /** So many each where there are more: a share in use leaves room for a queue. */
  readonly share: number;
  /** So many records at most; of a larger number each has a larger share. */
  readonly records: number;
}

export const CAPACITY: Capacity = { inOne: 100, share: 50, records: 40 };

/** What one record has, and how many of its permits are out: more than its limit where that has become smaller. */
export interface Use {
  readonly limit: number;
  readonly inUse: number;
}

/** Counts the permits that there are, taken together. */
export function numberIn({ permits }: Shares): number {
  return sumOf(permits);
}

/** Counts the permits that there are, of a semaphore that may have several records. */
export function numberOf({ limit, shares }: Pick<LockRecord, "limit" | "shares">): number {
  return shares === undefined ? limit : numberIn(shares);
}

/** Lists the records that a semaphore has besides its anchor. */
export function laterParts(shares: Shares | undefined): readonly number[] {
  return shares?.permits.slice(1).map((_, index) => index + 1) ?? [];
}

/** Gives what one of the records is to have. */
export function shareIn({ version, permits }: Shares, part: number): Share {
  return { part, version, limit: permits[part] ?? 0 };
}

/** Divides so many permits among the records, which have these now: nowhere smaller than before, or nowhere larger. */
export function sharesOf(uses: readonly Use[], number: number, capacity: Capacity): readonly number[] {
  const before = sumOf(uses.map(({ limit }) => limit));
  return number < before ? reduced(uses, before - number) : enlarged(uses, number - before, number, capacity);
}

/**
 * Enlarges shares. What is out beyond a limit comes first: no waiter may come in for a permit that has not been
 * given back. Then the smallest shares are filled up.
 */
function enlarged(uses: readonly Use[], more: number, number: number, { share, records }: Capacity): readonly number[] {
  const wanted = Math.min(records, Math.ceil(number / share));
  let left = more;
  const permits = uses.map(({ limit, inUse }) => {
    const owed = Math.min(left, Math.max(0, inUse - limit));
    left -= owed;
    return limit + owed;
  });
  while (permits.length < wanted) permits.push(0);
  return filledUp(permits, Math.max(wanted, 1), left);
}

/** Raises the smallest of the first few, all to the same height. */
function filledUp(permits: readonly number[], among: number, more: number): readonly number[] {
  const filled = [...permits];
  const order = filled.map((_, part) => part).slice(0, among);
  order.sort((one, other) => (filled[one] ?? 0) - (filled[other] ?? 0));
  let left = more;
  for (let count = 1; left > 0; count += 1) {
    const low = order.slice(0, count);
    const height = filled[low[0] ?? 0] ?? 0;
    const next = count < order.length ? (filled[order[count] ?? 0] ?? 0) : Number.POSITIVE_INFINITY;
    const isLast = (next - height) * count >= left;
    for (const [place, part] of low.entries()) {
      filled[part] = isLast ? height + Math.floor(left / count) + (place < left % count ? 1 : 0) : next;
    }
    left = isLast ? 0 : left - (next - height) * count;
  }
  return filled;
}

/** Reduces shares: unused permits go first, from the last record on, so that the rest stays together; then what comes back goes. */
function reduced(uses: readonly Use[], fewer: number): readonly number[] {
  let left = fewer;
  const permits = uses.map(({ limit }) => limit);
  const take = (keptOf: (use: Use) => number) => {
    for (let part = uses.length - 1; part >= 0; part -= 1) {
      const kept = Math.max(keptOf(uses[part] as Use), part === 0 ? 1 : 0);
      const taken = Math.min(left, Math.max(0, (permits[part] ?? 0) - kept));
      permits[part] = (permits[part] ?? 0) - taken;
      left -= taken;
    }
  };
  take(({ inUse }) => inUse);
  take(() => 0);
  return permits;
}

/** Counts the permits of a record that a caller that asks now would find free, beside its waiters. */
export function roomIn(record: LockRecord | undefined, { limit }: Pick<Share, "limit">, attempt: Attempt): number {
  const holders = record?.holders.filter((holder) => !mayBeTakenOver(holder, attempt)) ?? [];
  const waiters = record?.queue.filter((waiter) => isWaiting(waiter, attempt)) ?? [];
  return limit - permitsOf(holders) - permitsOf(waiters);
}

/** Finds the waiter that keeps a caller from permits which are free: it comes first, and wants more than there are. */
export function firstTooWide<Wanting extends { readonly permits?: number }>(
  waiters: readonly Wanting[],
  free: number,
  permits: number,
): Wanting | undefined {
  let left = free;
  for (const waiter of waiters) {
    if (permits > left) return undefined;
    left -= waiter.permits ?? 1;
    if (left < 0) return waiter;
  }
  return undefined;
}

/** Says whether a record is one of several of a semaphore. */
export function isOneOfSeveral({ shares, sharesVersion }: LockRecord): boolean {
  return shares !== undefined || sharesVersion !== undefined;
}

/** Says whether a record has later shares than these, or is not one of a semaphore with these shares. */
export function hasOtherShares(record: LockRecord | undefined, { part, version }: Share): boolean {
  return part === 0 ? record?.shares?.version !== version : (record?.sharesVersion ?? 0) > version;
}

/** Gives one of the records its share: the anchor has its own already. */
export function withShare(record: LockRecord, { part, limit, version }: Share): LockRecord {
  return part === 0 || record.sharesVersion === version ? record : { ...record, limit, sharesVersion: version };
}

/**
 * Gives the fencing token of the next grant: higher than all before, and not lower than store time. In each of several records it has
 * a remainder of its own, so that no two holders of one semaphore have the same; one that goes on with a hold keeps to that.
 */
export function nextToken(record: LockRecord, nowMs: number, part?: number): number {
  const least = Math.max(record.token + 1, nowMs);
  if (!isOneOfSeveral(record)) return least;
  const remainder = part ?? (record.shares === undefined ? record.token % TOKEN_STEP : 0);
  return least + ((remainder + TOKEN_STEP - (least % TOKEN_STEP)) % TOKEN_STEP);
}

/** More than there are records of a semaphore. */
const TOKEN_STEP = 64;

/** Puts together what several records say, as if they were one. */
export function asOne(anchor: LockRecord, others: readonly LockRecord[]): LockRecord {
  const all = [anchor, ...others];
  const recent = all.flatMap((record) => record.recent).sort((one, other) => other.toMs - one.toMs);
  return {
    ...anchor,
    limit: numberOf(anchor),
    token: Math.max(...all.map(({ token }) => token)),
    touchedAtMs: Math.max(...all.map(({ touchedAtMs }) => touchedAtMs)),
    holders: all.flatMap(({ holders }) => holders),
    queue: all.flatMap(({ queue }) => queue),
    recent: recent.slice(0, RECENT_TURNS),
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
