import { S3Mutex } from "../../index.js";
import type { Input } from "../base/command.js";
import { printable } from "../base/text.js";
import { type LockAddress, SEMAPHORES } from "../store/address.js";
import { accessTo } from "../store/store-access.js";
import { deleteMarkerNote } from "./delete-marker.js";

/** Says what an object is called by where it lies. */
export function kindAt({ keyPrefix }: Pick<LockAddress, "keyPrefix">): "lock" | "semaphore" {
  return keyPrefix.startsWith(SEMAPHORES) ? "semaphore" : "lock";
}

/**
 * Says that there is no such lock. A semaphore may have the name that was meant, or the other way round: they are objects of their own,
 * and a user that looks at the wrong one must not be told that there is nothing.
 */
export async function noSuchLock(input: Input, address: LockAddress, ending = "."): Promise<string> {
  const { bucketName, keyPrefix, lockName } = address;
  const name = printable(JSON.stringify(lockName));
  const kind = kindAt(address);
  const isOfSemaphores = kind === "semaphore";
  const prefix = isOfSemaphores ? keyPrefix.slice(SEMAPHORES.length) : `${SEMAPHORES}${keyPrefix}`;
  if (!(await isThere(input, { bucketName, keyPrefix: prefix, lockName }))) {
    return `there is no ${kind} ${name}${ending}${await deleteMarkerNote(input, address)}`;
  }
  const other = isOfSemaphores ? "lock" : "semaphore";
  const where = printable(`s3://${bucketName}/${prefix}${lockName}`);
  return `there is no ${kind} ${name}, but a ${other} of that name: write ${where}.`;
}

async function isThere(input: Input, address: LockAddress): Promise<boolean> {
  const mutex = new S3Mutex(accessTo(input, address));
  try {
    return (await mutex.inspect(address.lockName)) !== null;
  } catch {
    // The question was about another object, and has been answered.
    return false;
  } finally {
    await mutex.close();
  }
}
