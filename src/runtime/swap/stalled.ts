import { S3MutexError } from "../../errors.js";
import type { DeleteMarker, UnknownOutcome } from "../../store/object-store.js";
import type { GrantCheck } from "../base/grant-check.js";
import { listingOf, type ObjectPlace, removalOf } from "./marker-commands.js";
import { isSameEtag } from "./snapshot.js";

/** Where an object is, and what is known to be there in its place while reads say that it is absent. */
export interface Place extends ObjectPlace {
  readonly deleteMarker?: DeleteMarker | "none" | undefined;
}

/** What was seen of a store that refuses to change what it shows unchanged. */
export interface Stall extends Place {
  readonly lockName: string;
  /** The version that the last write was conditioned on; undefined: that there is no object. */
  readonly etag: string | undefined;
  /** What the read after it showed: another ETag where that changes although the object does not. */
  readonly shownEtag: string | undefined;
  /** How often in a row. */
  readonly stalls: number;
  readonly stallingMs: number;
}

/** Describes conflicts that nothing explains, and what can be done about them. */
export function stalledError(code: "store-unavailable" | "store-unsafe", stall: Stall): S3MutexError {
  const { lockName, etag, shownEtag, stalls, stallingMs } = stall;
  const isSteady = isSameEtag(etag, shownEtag);
  const shown = isSteady
    ? "that very version"
    : `what was written as that very version, under another ETag (${shownEtag})`;
  const name = JSON.stringify(lockName);
  const times = stalls === 1 ? "a write was" : `${stalls} writes were`;
  const after = stalls === 1 ? "the read after it" : "each read after them";
  const seen =
    etag === undefined
      ? `within ${Math.round(stallingMs)} ms ${times} refused because the object for ${name} exists (If-None-Match: *), and ${after} said that there is none`
      : `within ${Math.round(stallingMs)} ms ${times} refused because the object for ${name} was no longer the version ${etag} (If-Match), and ${after} showed ${shown}`;
  const cause = etag === undefined ? causeOfAbsence(stall) : isSteady ? STALE_OR_REWRITTEN : UNSTEADY;
  const message = `The store contradicts itself: ${seen}. ${cause} s3-mutex doctor examines the store.`;
  return new S3MutexError(code, message, { lockName });
}

const STALE_OR_REWRITTEN =
  "What explains it: reads that come out of a cache or a replica (reach the store itself), a proxy that rewrites ETags, or conditional writes that do not work.";
const UNSTEADY =
  "ETags of reads change although the object does not, so no condition on one can hold: a proxy or a gateway makes them up; reach the store itself.";

function causeOfAbsence(place: Place): string {
  const { deleteMarker } = place;
  if (deleteMarker === "none") {
    return "The store's list of versions shows the object, so the reads come out of a cache or a replica: reach the store itself.";
  }
  const list = listingOf(place);
  const { versionId = "ID" } = deleteMarker ?? {};
  const remove = removalOf(place, versionId);
  if (deleteMarker === undefined) {
    return `What explains it: a delete marker that the store takes for an object (${list} shows it; remove that version: ${remove}), or reads that come out of a cache.`;
  }
  const said =
    "What explains it: the object was deleted in a bucket with versioning, and this store takes the delete marker that is there now for an object.";
  const how = deleteMarker.versionId === undefined ? `${list} shows its version id; then ${remove}` : remove;
  return `${said} Remove the marker: ${how}.`;
}

/** Says that each write came second until the time was up. */
export function stillContested(lockName: string, races: number): S3MutexError {
  const writes = races === 1 ? "the one write" : `each of the ${races} writes`;
  const message = `The lock ${JSON.stringify(lockName)} was changed by others before ${writes} of this call, until its time was up: try again when fewer want it.`;
  return new S3MutexError("store-unavailable", message, { lockName });
}

/** Says whether something has said why: the store, or something before it. */
export function hasAnswered({ timing, brokeOff }: UnknownOutcome): boolean {
  return timing !== undefined && brokeOff === undefined;
}

/** Why a lock that is free is not handed out. */
const UNCHECKED = "since the store could not be checked";

/**
 * Tells a caller whose time is up that it was the check which did not come to its end: what it asked for the lock itself was answered.
 * @param ended what checks before have come to while it waited
 */
export function uncheckedInTime(
  { lastFailure, object }: Pick<GrantCheck, "lastFailure" | "object">,
  ended: S3MutexError | undefined,
  { lockName, waitedMs }: { readonly lockName: string; readonly waitedMs: number },
): S3MutexError {
  const cause = lastFailure?.error ?? ended;
  const last = lastFailure !== undefined && hasAnswered(lastFailure) ? "; the last answer" : "";
  const why = cause?.message ?? `its request for ${object} has had no answer yet.`;
  const message = `The lock ${JSON.stringify(lockName)} was not handed out within ${waitedMs} ms, ${UNCHECKED}${last}: ${why}`;
  return new S3MutexError("store-unavailable", message, { lockName, ...(cause === undefined ? {} : { cause }) });
}

/** Says how it stands with a call for which nothing has come: whatever answers was reached. Without a name it is a listing. */
export function wordsOfSilence(
  lockName: string | undefined,
  {
    isAnswered,
    hasRead,
    isOfCheck = false,
  }: { readonly isAnswered: boolean | undefined; readonly hasRead: boolean; readonly isOfCheck?: boolean | undefined },
): { readonly past: string; readonly present: string } {
  if (isOfCheck) {
    // What was asked for the lock itself was answered, or there would be nothing to hand out.
    const name = JSON.stringify(lockName ?? "");
    const last = isAnswered ? "; the last answer" : "";
    return {
      past: `The lock ${name} was not handed out, ${UNCHECKED}${last}`,
      present: `the lock ${name} is not handed out, ${UNCHECKED}`,
    };
  }
  const subject = lockName === undefined ? "a listing" : `the lock ${JSON.stringify(lockName)}`;
  const kind = hasRead ? "write" : "request";
  return isAnswered
    ? {
        past: `No ${kind} for ${subject} got through; the last answer`,
        present: `no ${kind} for ${subject} gets through`,
      }
    : { past: `The store did not answer for ${subject}`, present: `the store does not answer for ${subject}` };
}

/** Says what is known of a request that was given up after so long; `wasCutShort`: so soon that nothing follows from it. */
export function givenUp(afterMs: number, wasCutShort: boolean): UnknownOutcome {
  const waits = "credentials, its turn, an examination of the store";
  if (afterMs <= 0) return unanswered("the time was up before the next request", false);
  const including = `including what a request waits for before it leaves (${waits})`;
  const within = wasCutShort
    ? `the caller's time was up before the answer came: ${Math.round(afterMs)} ms were left for it, ${including}`
    : `no answer within ${Math.round(afterMs)} ms, ${including}`;
  return unanswered(within, true);
}

export function unanswered(why: string, sent: boolean): UnknownOutcome {
  return { kind: "unknown", error: new S3MutexError("store-unavailable", why), throttled: false, sent };
}
