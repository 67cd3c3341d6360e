import { accessPointAt, whyNoBucket } from "../../arguments/bucket-names.js";
import { nameOfKey } from "../../core/names.js";
import { inOwnWords } from "../base/own-words.js";
import { type Stray, strayIn } from "../base/stray-characters.js";
import { UsageError } from "../base/usage-error.js";

/** The prefix that the library's locks have by default, and so a store that is given as a bucket only. */
const DEFAULT_PREFIX = "locks/";

/** How a lock is written, and how a store. */
const FORM = { lock: `s3://BUCKET/${DEFAULT_PREFIX}NAME`, store: `s3://BUCKET/${DEFAULT_PREFIX}` } as const;

/** A bucket and what the keys of its locks start with. */
export interface StoreAddress {
  readonly bucketName: string;
  readonly keyPrefix: string;
}

/** Some locks of a store: those whose names start with something. */
export interface LocksAddress extends StoreAddress {
  readonly namePrefix: string;
}

/** One lock, as the library is told of it. */
export interface LockAddress extends StoreAddress {
  readonly lockName: string;
}

/** Parses `s3://bucket/prefix/`; a bucket alone has the library's default prefix, and `keyPrefix` says it otherwise. */
export function parseStore(text: string, keyPrefix: string | undefined): StoreAddress {
  const { bucketName, path } = splitUrl(text, "store");
  if (keyPrefix !== undefined) return { bucketName, keyPrefix };
  refuseSlips(text, path);
  if (path === "") return { bucketName, keyPrefix: DEFAULT_PREFIX };
  if (path.endsWith("/")) return { bucketName, keyPrefix: path };
  throw twoMeanings(text, path, `${text}/`, `s3://${bucketName} and --key-prefix ${path}`);
}

/**
 * Makes the refusal of a prefix without a slash at its end, which may be meant as it stands, as the library has it, or as a folder.
 * Both are right somewhere, and a user that takes the one for the other is alone with a lock of its own.
 */
export function twoMeanings(given: string, prefix: string, asFolder: string, asBeginning: string): UsageError {
  return new UsageError(
    `${given} could mean the keys ${prefix}NAME.json or ${prefix}/NAME.json: write ${asFolder} for the folder, or ${asBeginning} for keys that begin with ${JSON.stringify(prefix)}.`,
  );
}

/**
 * Parses `s3://bucket/prefix/na`: the first folder is the prefix, what follows is the beginning of names, unless `keyPrefix` says where
 * names start.
 */
export function parseLocks(text: string, keyPrefix: string | undefined): LocksAddress {
  const { bucketName, path } = splitUrl(text, "store");
  if (keyPrefix === undefined) refuseSlips(text, path);
  refuseKey(text, bucketName, path, keyPrefix);
  const border = borderOf(path);
  if (keyPrefix === undefined && border === 0 && path !== "") {
    throw twoMeanings(text, path, `${text}/`, `s3://${bucketName} and --key-prefix ${path}`);
  }
  const start = keyPrefix ?? (path === "" ? DEFAULT_PREFIX : path.slice(0, border));
  if (path !== "" && !path.startsWith(start) && `${path}/` !== start) {
    throw new UsageError(`${text} is not under the prefix ${JSON.stringify(start)}.`);
  }
  return { bucketName, keyPrefix: start, namePrefix: path.slice(start.length) };
}

/**
 * Parses `s3://bucket/prefix/name`, which is the lock's object without its `.json`. The first folder is the prefix, the rest is the
 * name, unless `keyPrefix` says where the name starts; of a semaphore the first two. For names of letters, digits, `-`, `_` and `/` the
 * border makes no difference to the key. Where it would, this refuses to guess: two processes that take different objects for one lock
 * are the one mistake that goes unnoticed.
 */
export function parseLock(text: string, keyPrefix: string | undefined): LockAddress {
  const { bucketName, path } = splitUrl(text, "lock");
  if (path === "" || path.endsWith("/")) {
    throw new UsageError(`${text} names no lock: write s3://${bucketName}/${path || DEFAULT_PREFIX}NAME.`);
  }
  refuseKey(text, bucketName, path, keyPrefix);
  if (keyPrefix !== undefined) return { bucketName, keyPrefix, lockName: nameAfter(keyPrefix, path, text) };
  refuseSlips(text, path);
  const border = borderOf(path);
  if (border === 0) {
    const [usual, root] = [`s3://${bucketName}/${DEFAULT_PREFIX}${path}`, 'add --prefix ""'];
    throw new UsageError(`${text} has no prefix: write ${usual} for the library's default, or ${root} for none.`);
  }
  const between = path.slice(border).split("/").slice(0, -1);
  if (between.some((folder) => !/^[\w-]+$/.test(folder))) {
    const example = path.slice(0, path.lastIndexOf("/") + 1);
    throw new UsageError(
      `The key of ${text} depends on where the name starts: say so, as in --prefix ${JSON.stringify(example)}.`,
    );
  }
  return { bucketName, keyPrefix: path.slice(0, border), lockName: path.slice(border) };
}

/** Refuses what is a slip far more often than meant: keys have no parents, and an empty folder is one of its own. */
function refuseSlips(text: string, path: string): void {
  const slip = slipInPath(path);
  if (slip === undefined) return;
  const { problem, remedy } = slip;
  throw new UsageError(`${JSON.stringify(text)} ${problem}: ${remedy}, or say with --prefix what the keys start with.`);
}

function slipInPath(path: string): Stray | undefined {
  const problem = slipInPathParts(path.split("/"), path);
  return strayIn(path) ?? (problem === undefined ? undefined : { problem, remedy: "leave it out" });
}

function slipInPathParts(parts: readonly string[], path: string): string | undefined {
  if (path !== "" && parts[0] === "") return "begins with an empty folder";
  if (parts.some((part) => part === "." || part === "..")) return 'has "." or ".." in it, which keys do not know';
  return parts.some((part) => part !== part.trim()) ? "has a space at an end, or beside a slash" : undefined;
}

/** Refuses what ends in `.json`, an object's key, in which the name may be written otherwise, and says what to write. */
function refuseKey(text: string, bucketName: string, path: string, keyPrefix = path.slice(0, borderOf(path))): void {
  if (!path.endsWith(".json")) return;
  const ending = path.slice(keyPrefix.length);
  const [own, name] = [`s3://${bucketName}/${keyPrefix}`, nameOfKey("", ending) ?? ending.replace(/\.json$/, "")];
  const remedy =
    keyPrefix === ""
      ? "leave it out"
      : `write ${own}${name}, or --store ${own} --literal ${JSON.stringify(ending)} if that is the name`;
  throw new UsageError(`${text} ends in .json, which keys have and names do not: ${remedy}.`);
}

function nameAfter(keyPrefix: string, path: string, text: string): string {
  if (path.startsWith(keyPrefix) && path.length > keyPrefix.length) return path.slice(keyPrefix.length);
  throw new UsageError(`${text} has no name after the prefix ${JSON.stringify(keyPrefix)}.`);
}

/** Finds where the name begins, if nothing else says so; 0 where there is no folder. Semaphores are in a folder of the locks' prefix. */
function borderOf(path: string): number {
  const border = path.indexOf("/") + 1;
  const isOfSemaphores = path.startsWith(SEMAPHORES) && path.indexOf("/", border) !== -1;
  return isOfSemaphores ? path.indexOf("/", border) + 1 : border;
}

/** With the prefix of locks, what the keys of semaphores start with, as the library has it. */
export const SEMAPHORES = "semaphores/";

export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** Splits off the bucket: what stands before the first slash, or the whole ARN of an access point, whose slashes are its own. */
function splitUrl(text: string, kind: keyof typeof FORM): { readonly bucketName: string; readonly path: string } {
  const afterScheme = /^s3:\/\/(?!\/)(.+)$/s.exec(text)?.[1] ?? "";
  const accessPoint = accessPointAt(afterScheme);
  const bucketName = accessPoint ?? afterScheme.split("/", 1)[0] ?? "";
  const rest = afterScheme.slice(bucketName.length);
  const fault = whyNoBucket(wholeArn(afterScheme) ?? bucketName);
  if (fault !== undefined) throw new UsageError(`${text} cannot be used: ${inOwnWords(fault)}.`);
  if (bucketName === "" || (rest !== "" && !rest.startsWith("/"))) {
    throw new UsageError(`${text} is not an address: write ${FORM[kind]}.`);
  }
  return { bucketName, path: rest.slice(1) };
}

/** Finds an ARN that is not an access point of one region, up to where its name ends. */
function wholeArn(text: string): string | undefined {
  if (!/^arn:/i.test(text) || accessPointAt(text) !== undefined) return undefined;
  return /^arn:[^/]*(?:(?<=:accesspoint)\/[^/]+)?/i.exec(text)?.[0];
}
