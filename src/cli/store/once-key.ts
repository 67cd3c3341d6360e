import type { Input } from "../base/command.js";
import { UsageError } from "../base/usage-error.js";
import type { LockAddress } from "./address.js";
import { isAddress, lockOf } from "./store-options.js";

/** What the name of a key's lock begins with, and by default the key of its result, as the library has it. */
export const ONCE = "once/";

/**
 * Finds the key that is meant. `ls`, `show` and the store itself show the lock and the result of a key; given as keys, these would be
 * new ones, for which nothing was done.
 */
export function onceKeyOf(input: Input, text: string): LockAddress {
  const address = lockOf(input, text);
  const { bucketName, keyPrefix, lockName } = address;
  const isLiteral = input.values.flag("literal");
  if (!isLiteral && keyPrefix.startsWith(ONCE) && input.values.word("once-prefix") === undefined) {
    const place = `s3://${bucketName}/${keyPrefix.slice(ONCE.length)}${lockName}`;
    throw new UsageError(`${text} is where the result of a key is kept: write ${place}.`);
  }
  if (isLiteral || !lockName.startsWith(ONCE)) return address;
  const rest = lockName.slice(ONCE.length);
  const key = rest.startsWith(keyPrefix) ? rest.slice(keyPrefix.length) : rest;
  const store = `s3://${bucketName}/${keyPrefix}`;
  const [instead, literally] = isAddress(input, text)
    ? [`${store}${key}`, `write --store ${store} --literal ${lockName}`]
    : [key, "add --literal"];
  throw new UsageError(
    `${JSON.stringify(text)} is what belongs to the key ${key}: write ${instead}, or ${literally} if the key is ${JSON.stringify(lockName)}.`,
  );
}
