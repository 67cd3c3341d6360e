import type { Refusal } from "../../core/transition/fenced.js";
import { type CodeWithoutDetails, S3MutexError } from "../../errors.js";

export interface RefusedObject {
  readonly lockName: string;
  readonly bucketName: string;
  readonly key: string;
  readonly lock: string;
  readonly token: number;
  /** A change had been sent before, and what became of it is not known. */
  readonly maybeApplied: boolean;
}

/** Makes the error that tells of a refusal. */
export function refusalError(refusal: Refusal, object: RefusedObject): S3MutexError {
  const { lockName, bucketName, key, maybeApplied } = object;
  const [code, sentence] = told(refusal, object);
  const outcome = maybeApplied ? "The last change may have been made before that." : "Nothing was changed.";
  const message = `The fenced object s3://${bucketName}/${key} ${sentence} ${outcome}`;
  return new S3MutexError(code, message, { lockName, ...(maybeApplied ? { maybeApplied } : {}) });
}

/** Says that it cannot be read, so it is not known who wrote it last. */
export function archivedError({
  lockName,
  bucketName,
  key,
}: Pick<RefusedObject, "lockName" | "bucketName" | "key">): S3MutexError {
  const message = `The object s3://${bucketName}/${key} is archived, so it cannot be read (InvalidObjectState): restore it (aws s3api restore-object), or delete it if it is not needed any more, and keep lifecycle rules that move objects to other storage classes off it.`;
  return new S3MutexError("corrupt-record", message, { lockName });
}

function told(refusal: Refusal, { lock, token }: RefusedObject): readonly [CodeWithoutDetails, string] {
  switch (refusal.kind) {
    case "fenced-out":
      return ["fenced-out", `belongs to a newer holder of its lock: its token is ${refusal.token}, this one ${token}.`];
    case "removed":
      return [
        "fenced-out",
        "was there and is gone, removed by other means, and with it the record of who has written: acquire the lock again.",
      ];
    case "other-lock":
      return [
        "invalid-argument",
        `belongs to another lock, ${refusal.lock}, and this one is ${lock}: use that lock, or another key.`,
      ];
    case "newer-schema":
      return ["newer-schema", `has format ${refusal.schema}, which a newer s3-mutex wrote: upgrade this process.`];
    case "foreign":
      return [
        "corrupt-record",
        'was written by other means and has no envelope: use another key, or pass adopt: "json" or adopt: "text" to take over UTF-8 content of up to 8 MiB.',
      ];
  }
}
