import { S3MutexError } from "../../../errors.js";
import type { RefusedOutcome, UnknownOutcome } from "../../object-store.js";

/** As long as it helps to find the object. */
const SHOWN_MAX = 160;

/** Shorter ones are taken by every file system. */
const LONG_PART_BYTES = 120;
const LONG_KEY_BYTES = 400;

/** Says whether a store may refuse this key for its length. */
export function isLong(key: string): boolean {
  return key.length > LONG_KEY_BYTES || key.split("/").some((part) => part.length > LONG_PART_BYTES);
}

/** Shows a key in a sentence: of a long one its beginning and its length. */
export function shownKey(key: string): string {
  return key.length <= SHOWN_MAX ? key : `${key.slice(0, SHOWN_MAX - 40)}... (${Buffer.byteLength(key)} bytes)`;
}

/** Says how long a key is, which limits there are, and what to do. */
export function tooLong(key: string, isExamination = false): string {
  const part = Math.max(...key.split("/").map((one) => Buffer.byteLength(one)));
  return [
    `The key has ${Buffer.byteLength(key)} bytes, ${part} of them in its longest part between slashes, \`.json\` included.`,
    `S3 takes keys of 1,024 bytes; stores on file systems take parts of 255, and some of fewer${isExamination ? "" : " (`s3-mutex doctor` finds out)"}:`,
    "use a shorter name.",
  ].join(" ");
}

/** Refuses a key for a store that fails on it, and again on each one like it, while it takes short ones. */
export function refusedForLength(key: string, { error, timing }: UnknownOutcome): RefusedOutcome {
  const message = `${error.message.replace(/\.$/, "")}, and so is each key as long, while short ones are taken. ${tooLong(key)}`;
  const refusal = { kind: "refused", error: new S3MutexError("invalid-argument", message, { cause: error }) } as const;
  return timing === undefined ? refusal : { ...refusal, timing };
}
