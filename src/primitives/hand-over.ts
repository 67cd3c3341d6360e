import { checkCount, checkLease, checkNonEmptyString } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import { isObject, parseJson } from "../core/json.js";
import { type LockRef, MAX_TOKEN } from "../core/record.js";
import type { HandedOver } from "../runtime/acquire/restore.js";

/** Where a lock is. */
export interface LockPlace {
  readonly bucketName: string;
  readonly key: string;
}

/** Writes a hold as a text, from which another process can go on with it. */
export function writeHandOver(ref: LockRef, place: LockPlace, { id, token, leaseMs, writeIds }: HandedOver): string {
  return JSON.stringify({ s3MutexHold: VERSION, ...place, ...ref, id, token, leaseMs, writeIds });
}

/**
 * Reads it back; what it says is checked as what a caller says is, since it has been in other hands.
 * @throws `invalid-argument` where it is not such a text
 */
export function readHandOver(text: unknown): {
  readonly ref: LockRef;
  readonly place: LockPlace;
  readonly from: HandedOver;
} {
  const json = parseJson(checkNonEmptyString("text", text));
  const { s3MutexHold, bucketName, key, kind, name, part, id, token, leaseMs, writeIds } = isObject(json) ? json : {};
  if (s3MutexHold !== VERSION)
    throw invalidArgument("text", text, "pass what lock.serialize() of this version returned");
  try {
    const ref = {
      ...checkKind("its kind", kind),
      name: checkNonEmptyString("its name", name),
      ...checkPart("its part", part, kind),
    };
    const place = {
      bucketName: checkNonEmptyString("its bucketName", bucketName),
      key: checkNonEmptyString("its key", key),
    };
    const from = {
      id: checkNonEmptyString("its id", id),
      token: checkToken("its token", token),
      leaseMs: checkLease("its leaseMs", leaseMs),
      writeIds: checkWriteIds("its writeIds", writeIds),
    };
    return { ref, place, from };
  } catch (problem) {
    throw invalidArgument("text", text, (problem as Error).message.replace(/\.$/, ""));
  }
}

function checkKind(argument: string, value: unknown): Pick<LockRef, "kind"> {
  if (value === undefined) return {};
  if (value === "semaphore") return { kind: value };
  throw invalidArgument(argument, value, UNCHANGED);
}

/** Checks the number of a semaphore's record; a lock has one record, and no number of it. */
function checkPart(argument: string, value: unknown, kind: unknown): Pick<LockRef, "part"> {
  if (value === undefined) return {};
  if (kind === undefined) throw invalidArgument(argument, value, UNCHANGED);
  return { part: checkCount(argument, value) };
}

function checkToken(argument: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= MAX_TOKEN) return value as number;
  throw invalidArgument(argument, value, UNCHANGED);
}

function checkWriteIds(argument: string, value: unknown): readonly string[] {
  const areIds = Array.isArray(value) && value.length > 0 && value.every((id) => typeof id === "string" && id !== "");
  if (areIds) return value;
  throw invalidArgument(argument, value, UNCHANGED);
}

const VERSION = 1;
const UNCHANGED = "pass what lock.serialize() returned, unchanged";
