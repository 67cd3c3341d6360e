import { checkNonEmptyString, invalidArgument } from "./arguments.js";
import type { LockRef } from "./core/deadlock.js";
import { isObject, parseJson } from "./core/json.js";
import type { Holder } from "./core/record.js";
import type { HandedOver } from "./runtime/restore.js";

/** Where a lock is. */
export interface LockPlace {
  readonly bucketName: string;
  readonly key: string;
}

/** A hold as a text, from which another process can go on with it. */
export function writeHandOver(ref: LockRef, place: LockPlace, { id, token, leaseMs }: Holder): string {
  return JSON.stringify({ s3MutexHold: VERSION, ...place, ...ref, id, token, leaseMs });
}

/** Reads it back. @throws `invalid-argument` where it is no such text */
export function readHandOver(text: unknown): {
  readonly ref: LockRef;
  readonly place: LockPlace;
  readonly from: HandedOver;
} {
  const json = parseJson(checkNonEmptyString("text", text));
  const { s3MutexHold, bucketName, key, kind, name, id, token, leaseMs } = isObject(json) ? json : {};
  if (s3MutexHold !== VERSION)
    throw invalidArgument("text", text, "pass what lock.serialize() of this version returned");
  if (!areStrings([bucketName, key, name, id]) || !areNumbers([token, leaseMs])) {
    throw invalidArgument("text", text, "it is damaged: pass what lock.serialize() returned, unchanged");
  }
  return {
    ref: kind === "semaphore" ? { kind, name: name as string } : { name: name as string },
    place: { bucketName: bucketName as string, key: key as string },
    from: { id: id as string, token: token as number, leaseMs: leaseMs as number },
  };
}

const VERSION = 1;

function areStrings(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "string");
}

function areNumbers(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "number" && value > 0);
}
