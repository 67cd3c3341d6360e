import { type Parsed, parseRecord } from "../../core/codec.js";
import { anchorOfPart } from "../../core/names.js";
import { isOriginal } from "../../core/proof.js";
import type { LockRecord, LockRef } from "../../core/record.js";
import { S3MutexError } from "../../errors.js";
import type { DeleteMarker, ReadOutcome } from "../../store/object-store.js";

/** One version of the object as it was seen: absent (no ETag), a record, or something that is not a record of ours. */
export interface Snapshot {
  readonly etag: string | undefined;
  readonly record: LockRecord | undefined;
  readonly unreadable?: S3MutexError;
  /** Of an object that is absent: what is known to be in its place. */
  readonly deleteMarker?: DeleteMarker | "none" | undefined;
  /** When the store took it in, by its own word. */
  readonly landedAtMs?: number | undefined;
  /** What was written, where no write id of ours is in it: by 1.x, or by something else. */
  readonly body?: string | undefined;
  /** The monotonic time at which the request that showed it left. */
  readonly askedAtMs: number;
}

/** What tells one version of an object from another. */
export interface Version {
  /** Undefined: there is no object. */
  readonly etag: string | undefined;
  /** Of what was written; undefined where that has none, or could not be read. */
  readonly writeId?: string | undefined;
  /** What was written, where that has no write id, and when the store took it in. */
  readonly body?: string | undefined;
  readonly landedAtMs?: number | undefined;
}

export function versionOf({ etag, record, body, landedAtMs }: Snapshot): Version {
  return { etag, writeId: record?.writeId, body, landedAtMs };
}

/** Compares by what was written, as far as that says it: on some ways the ETag is another one in each answer, whatever was written. */
export function isSameVersion(one: Version, other: Version): boolean {
  if (one.writeId !== undefined && other.writeId !== undefined) return one.writeId === other.writeId;
  return isSameEtag(one.etag, other.etag) || isSameBody(one, other);
}

/** Compares bodies and their times: 1.x writes the same body at each release, and one taken in at another time is another version. */
function isSameBody(one: Version, other: Version): boolean {
  return one.body !== undefined && one.body === other.body && one.landedAtMs === other.landedAtMs;
}

/** Says whether two ETags name one version: some stores, and proxies in front of them, quote or weaken an ETag in one answer only. */
export function isSameEtag(one: string | undefined, other: string | undefined): boolean {
  return one === other || (one !== undefined && other !== undefined && bare(one) === bare(other));
}

function bare(etag: string): string {
  return etag.replace(/^(?:W\/)?"(.*)"$/, "$1");
}

interface Where {
  readonly ref: LockRef;
  readonly key: string;
  readonly bucketName: string;
}

/** Reads what an answer shows. */
export function snapshotOf(
  where: Where,
  outcome: Exclude<ReadOutcome, { kind: "unknown" | "refused" }>,
  askedAtMs: number,
): Snapshot {
  const { ref, key } = where;
  const lockName = ref.name;
  switch (outcome.kind) {
    case "absent":
      return { etag: undefined, record: undefined, deleteMarker: outcome.deleteMarker, askedAtMs };
    case "unchanged":
      return { etag: undefined, record: undefined, askedAtMs };
    case "oversized":
      return unreadable(where, { etag: outcome.etag, askedAtMs }, "it is larger than a lock record can be");
    case "archived":
      return archived(where, { etag: outcome.etag, askedAtMs });
    case "ok": {
      const { etag, lastModifiedMs: landedAtMs } = outcome;
      const parsed = parsedOf(outcome);
      const seen = { etag, landedAtMs, askedAtMs, ...bodyWithoutId(outcome.body, parsed) };
      if (parsed.kind === "record") return { ...seen, record: withoutCopiedProofs(parsed.record, landedAtMs) };
      if (parsed.kind === "corrupt") return unreadable(where, seen, parsed.problem, outcome.isDoubtful);
      const message = `The lock ${JSON.stringify(lockName)} (key ${JSON.stringify(key)}) has schema ${parsed.schema}, which a newer s3-mutex wrote: upgrade this process.`;
      const newer = new S3MutexError("newer-schema", message, { lockName });
      return { ...seen, record: undefined, unreadable: newer };
    }
  }
}

function withoutCopiedProofs(record: LockRecord, lastModifiedMs: number | undefined): LockRecord {
  const { proofs, ...bare } = record;
  return proofs === undefined || isOriginal({ lastModifiedMs, touchedAtMs: record.touchedAtMs }) ? record : bare;
}

function bodyWithoutId(body: string, parsed: Parsed): Pick<Snapshot, "body"> {
  return parsed.kind === "record" && parsed.record.writeId !== undefined ? {} : { body };
}

/** Says whether this would be called corrupt: nothing that a record can be. */
export function isNoRecord(outcome: ReadOutcome): boolean {
  return outcome.kind === "oversized" || (outcome.kind === "ok" && parsedOf(outcome).kind === "corrupt");
}

const parsedBodies = new WeakMap<object, Parsed>();

/** Parses once, which is most of the work that an answer makes: it is asked for twice, whether it makes sense, and what it shows. */
function parsedOf(outcome: ReadOutcome & { readonly kind: "ok" }): Parsed {
  const known = parsedBodies.get(outcome);
  if (known !== undefined) return known;
  const parsed = parseRecord(outcome.body);
  parsedBodies.set(outcome, parsed);
  return parsed;
}

/** Names what gets rid of an object that is not a lock's. No call does so for a semaphore. */
function removalOf({ ref, key, bucketName }: Where): string {
  if (ref.kind === undefined) return `deleteLock(${JSON.stringify(ref.name)}, true)`;
  return `s3-mutex delete --force s3://${bucketName}/${(anchorOfPart(key) ?? key).replace(/\.json$/, "")}`;
}

type Seen = Omit<Snapshot, "record" | "unreadable">;

function archived(where: Where, seen: Seen): Snapshot {
  const lockName = where.ref.name;
  const message = `The object at key ${JSON.stringify(where.key)} is archived, so it cannot be read (InvalidObjectState): keep lifecycle rules that move objects to other storage classes off the locks. ${removalOf(where)} replaces it.`;
  return { ...seen, record: undefined, unreadable: new S3MutexError("corrupt-record", message, { lockName }) };
}

function unreadable(where: Where, seen: Seen, problem: string, isDoubtful = false): Snapshot {
  const advice = isDoubtful
    ? "Its ETag is not the MD5 of what came, so it may have been damaged on the way or sent by something else than the store, and the lock may be held: inspect it from elsewhere."
    : `Look at it; ${removalOf(where)} clears it.`;
  const lockName = where.ref.name;
  const message = `The object at key ${JSON.stringify(where.key)} is not a lock record: ${problem}. ${advice}`;
  return { ...seen, record: undefined, unreadable: new S3MutexError("corrupt-record", message, { lockName }) };
}
