import { S3MutexError } from "../../errors.js";

/** Says what a caller of a mutex is told after it was closed. */
export function wasClosed(lockName?: string): S3MutexError {
  const details = lockName === undefined ? {} : { lockName };
  return new S3MutexError("closed", "This mutex was closed: use a new one.", details);
}
