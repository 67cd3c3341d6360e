import type { Attempt } from "./expiry.js";
import type { CutShort, Holder, LockRecord } from "./record.js";

/**
 * What holders are to learn whose holds were ended by force, or with the lock: that it was so, and not that another holder has taken them
 * over. The last few turns do not tell: hundreds may hold one semaphore, and many may come and go before a holder renews.
 */

/** How a hold was cut short. */
export type Cut = keyof CutShort;

/** More than there is room for among the holders of one record, so that all of them are told. */
export const CUTS_MAX = 200;

/** Adds these holds to a record's memory of those that were cut short: it lasts as long as the longest of their leases may. */
export function withCuts({ cutShort }: LockRecord, holders: readonly Holder[], how: Cut, attempt: Attempt): CutShort {
  const before = cutShort?.[how];
  const leaseMs = Math.max(...holders.map((holder) => holder.leaseMs));
  const untilMs = Math.max(before?.untilMs ?? 0, attempt.now.latestMs + leaseMs);
  const tokens = [...holders.map(({ token }) => token), ...(before?.tokens ?? [])].slice(0, CUTS_MAX);
  return { ...cutShort, [how]: { untilMs, tokens } };
}

/** Keeps what a holder may still ask for of that memory; undefined where that is nothing. */
export function rememberedCuts(cutShort: CutShort | undefined, { now }: Attempt): CutShort | undefined {
  const { forced, deleted, ...unknown } = cutShort ?? {};
  const isOver = (cuts: CutShort[Cut]) => cuts === undefined || cuts.untilMs < now.earliestMs;
  const left: CutShort = {
    ...unknown,
    ...(isOver(forced) ? {} : { forced }),
    ...(isOver(deleted) ? {} : { deleted }),
  };
  return Object.keys(left).length === 0 ? undefined : left;
}

/** Says how the hold with this token was cut short, as far as the record remembers. */
export function cutOf({ cutShort }: LockRecord, token: number): Cut | undefined {
  if (cutShort?.forced?.tokens.includes(token)) return "forced";
  return cutShort?.deleted?.tokens.includes(token) ? "deleted" : undefined;
}
