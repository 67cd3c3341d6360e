import { keyPrefixOfNames, nameOfKey } from "../../core/names.js";
import type { Input } from "../base/command.js";
import { parseInput } from "../base/parse.js";
import { type LocksAddress, SEMAPHORES } from "../store/address.js";
import { chooseProfile } from "../store/choose-profile.js";
import { headersOf } from "../store/header-options.js";
import { ONCE, onceKeyOf } from "../store/once-key.js";
import { clientConfigOf, isAddress, lockOf, locksOf } from "../store/store-options.js";

/** A person that has pressed a key does not wait longer than this for a store. */
const LIMIT_MS = 1000;

/**
 * Finds the names of locks that a command line may go on with, whose last word has been begun: those of its store, by one LIST. Whatever
 * is in the way (no store, no answer, a word that is not a name), there are none, and nothing is said: the user is typing.
 */
export async function namesFor(words: readonly string[], input: Input): Promise<readonly string[]> {
  try {
    return await names(words, input);
  } catch {
    return [];
  }
}

async function names(
  [commandName, ...args]: readonly string[],
  { environment, describeAll }: Input,
): Promise<readonly string[]> {
  const commands = await describeAll();
  const options = Object.fromEntries(commands.find(({ name }) => name === commandName)?.options ?? []);
  // Others are told stores, or nothing.
  if (!("literal" in options)) return [];
  const word = args.at(-1) ?? "";
  const parsed = parseInput(args.slice(0, -1), options, environment);
  const input = { ...parsed, positionals: [word], describeAll };
  chooseProfile(input.values);
  const address = locksOf(input);
  const beginning = isAddress(input, word) ? `s3://${address.bucketName}/${address.keyPrefix}` : "";
  const isOnce = commandName === "once";
  const found = isOnce ? await onceKeys(input, address) : await listed(input, recordsMeant(input, address));
  const addressOf = isOnce ? onceKeyOf : lockOf;
  return found.map((name) => `${beginning}${name}`).filter((text) => mayBeGiven(text, () => addressOf(input, text)));
}

/** Finds the records that a command is about: with `--permits` those of semaphores. */
function recordsMeant({ values }: Input, address: LocksAddress): LocksAddress {
  const { keyPrefix } = address;
  if (values.text("permits") === undefined || keyPrefix.startsWith(SEMAPHORES)) return address;
  return { ...address, keyPrefix: `${SEMAPHORES}${keyPrefix}` };
}

async function onceKeys(input: Input, address: LocksAddress): Promise<readonly string[]> {
  const locks = await listed(input, { ...address, namePrefix: `${ONCE}${address.namePrefix}` });
  return locks.map((name) => name.slice(ONCE.length));
}

async function listed(input: Input, address: LocksAddress): Promise<readonly string[]> {
  const { bucketName: Bucket, keyPrefix, namePrefix } = address;
  const [{ ListObjectsV2Command }, { createS3Client }, { headerFieldsOf }] = await Promise.all([
    import("@aws-sdk/client-s3"),
    import("../../store/s3/client/client.js"),
    import("../../store/s3/client/store-headers.js"),
  ]);
  const client = createS3Client({ ...clientConfigOf(input, Bucket), maxAttempts: 1 });
  const Prefix = keyPrefixOfNames(keyPrefix, namePrefix);
  const list = new ListObjectsV2Command({ Bucket, Prefix, ...headerFieldsOf(headersOf(input)).list });
  const abortSignal = AbortSignal.timeout(LIMIT_MS);
  // Getting credentials may hang as well, and does not heed the signal.
  const { Contents = [] } = await Promise.race([client.send(list, { abortSignal }), rejectedAt(abortSignal)]);
  const found = Contents.flatMap(({ Key = "" }) => nameOfKey(keyPrefix, Key) ?? []);
  return found.filter((name) => name.startsWith(namePrefix));
}

function rejectedAt(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

/** Says whether a name may be offered: what would be refused is not. */
function mayBeGiven(text: string, parse: () => void): boolean {
  try {
    parse();
    return !text.startsWith("-");
  } catch {
    return false;
  }
}
