import { areCompatible, type Claim, type LockRecord } from "../record.js";
import type { AcquireReply } from "../transition/acquire.js";
import { decidedOn, isOvertaken, NOTHING_REFUSED, type Overtaking, refusedOnce } from "./overtaking.js";

/** What a caller has learnt while it waits: by that it is told, when its time is up, what it waited for in vain. */
export interface Learnt {
  /** Whether the store was asked for this caller. */
  readonly hasAsked: boolean;
  /** Whether what was read for this call was decided on: then a write may be under way. */
  readonly isUnderWay: boolean;
  /** Whether the store has answered this caller or another one of its process. */
  readonly wasAnswered: boolean;
  readonly wasTaken: boolean;
  readonly wasRefused: boolean;
  readonly wasOvertaken: boolean;
  /** Whether no other caller had the lock when it was last read. */
  readonly isFree: boolean;
  readonly hasFailed: boolean;
  /** Whether the store has failed since the lock was last read, and found free. */
  readonly hasFailedSince: boolean;
  /** Since when nothing is in the way of this caller, by the monotonic clock. */
  readonly ownSinceMs: number | undefined;
  readonly overtaking: Overtaking;
}

export const NOTHING_LEARNT: Learnt = {
  hasAsked: false,
  isUnderWay: false,
  wasAnswered: false,
  wasTaken: false,
  wasRefused: false,
  wasOvertaken: false,
  isFree: false,
  hasFailed: false,
  hasFailedSince: false,
  ownSinceMs: undefined,
  overtaking: NOTHING_REFUSED,
};

/** What is heard, in the order in which it comes; `nowMs` by the monotonic clock. */
export type News =
  /** The store is being asked for this caller. */
  | { readonly kind: "asked" }
  /** The store has answered, this caller or another one; `isTaken`: another caller has the lock, or is before this one. */
  | { readonly kind: "answered"; readonly isTaken: boolean }
  /** A version was decided on. `isOfThisCall`: it was read since the caller came, so that it says something about that time. */
  | {
      readonly kind: "decided";
      readonly record: LockRecord | undefined;
      readonly reply: AcquireReply["kind"];
      readonly isOfThisCall: boolean;
      readonly claim: Claim;
      readonly isOwn: (writeId: string) => boolean;
      readonly nowMs: number;
    }
  /** A write was refused as one that came second: until a read shows what came first, that may be the store's fault. */
  | { readonly kind: "refused"; readonly nowMs: number }
  /** The store did not answer, or its answers contradict each other. */
  | { readonly kind: "failed" };

/** Adds what is known by that news. */
export function learn(learnt: Learnt, news: News): Learnt {
  switch (news.kind) {
    case "asked":
      return { ...learnt, hasAsked: true };
    case "answered": {
      const heard = news.isTaken ? foundTaken(learnt) : learnt;
      return heard.wasAnswered ? heard : { ...heard, wasAnswered: true };
    }
    case "decided":
      return decided(learnt, news);
    case "refused": {
      const { ownSinceMs } = learnt;
      return {
        ...learnt,
        wasRefused: true,
        ownSinceMs: ownSinceMs === undefined ? undefined : news.nowMs,
        overtaking: refusedOnce(learnt.overtaking),
      };
    }
    case "failed": {
      const hasFailedSince = learnt.hasFailedSince || learnt.isFree;
      return { ...learnt, hasFailed: true, wasOvertaken: false, hasFailedSince };
    }
  }
}

/**
 * Learns from a decision. Where another caller had the lock, or was before this one, it is not known yet what
 * became of our own write; where it was free, what fails from now on is the store.
 */
function decided(before: Learnt, news: News & { readonly kind: "decided" }): Learnt {
  const { record, reply, isOfThisCall, claim, isOwn, nowMs } = news;
  const learnt = {
    ...before,
    overtaking: decidedOn(record, isOfThisCall),
    wasOvertaken: before.wasOvertaken || isOvertaken(before.overtaking, record, isOwn),
  };
  if (!isOfThisCall) return learnt;
  const isFree = reply === "granted" || !isTakenIn(record, claim);
  return {
    ...(isFree ? learnt : foundTaken(learnt)),
    isUnderWay: true,
    wasTaken: learnt.wasTaken || reply === "waiting",
    isFree,
    ownSinceMs: reply === "granted" ? (learnt.ownSinceMs ?? nowMs) : undefined,
  };
}

/** Makes no new object of what is known: each answer is told to all callers of a process, of which there may be thousands. */
function foundTaken(learnt: Learnt): Learnt {
  // The rest is only known of a free lock.
  if (!learnt.isFree) return learnt;
  return { ...learnt, isFree: false, ownSinceMs: undefined, hasFailedSince: false };
}

/** Says whether others have so much of it that this caller has no room beside them, also as the first in the queue. */
export function isTakenIn(record: LockRecord | undefined, claim: Claim): boolean {
  return record !== undefined && !areCompatible([...record.holders, claim], record.limit);
}

/** Says whether the lock was free when it was last read, and the store has failed since, or keeps silent. */
export function isStuck(learnt: Learnt, nowMs: number, roundTripMs: number): boolean {
  const { hasFailedSince, ownSinceMs = Number.POSITIVE_INFINITY } = learnt;
  return hasFailedSince || nowMs - ownSinceMs >= Math.max(SILENT_MS, SILENT_ROUND_TRIPS * roundTripMs);
}

/** Says whether an answer has said that another caller has the lock, and none since that it is free and cannot be taken. */
export function isTold(learnt: Learnt, nowMs: number, roundTripMs: number): boolean {
  return (learnt.wasAnswered || learnt.wasTaken) && !isStuck(learnt, nowMs, roundTripMs);
}

/** Says whether to tell the caller that another one had the lock for all that time, rather than that the store did not answer. */
export function isContention(learnt: Learnt, nowMs: number, roundTripMs: number): boolean {
  return learnt.wasOvertaken || isTold(learnt, nowMs, roundTripMs);
}

/** Says whether others were faster, or had a turn before, on a store that answers: what it refused or left open says nothing of them. */
export function isOutrun({ hasFailed, wasOvertaken, hasAsked }: Learnt): boolean {
  return !hasFailed && (wasOvertaken || !hasAsked);
}

/** A store that answers nothing for that long is silent; a first connection alone can take nearly as long. */
export const SILENT_MS = 1000;
const SILENT_ROUND_TRIPS = 4;
