import { keyOfName, keyOfNameIn1x, keyOfPart, MAX_KEY_BYTES } from "../core/names.js";
import type { Mode } from "../core/record.js";
import { whyNoBucket, whyNoPlaceForLocks } from "./bucket-names.js";
import { invalidArgument } from "./invalid-argument.js";
import { type OptionNames, refuseUnknownOptions } from "./option-names.js";

/** Checks of what callers pass. Each throws `invalid-argument` with the argument, its value and the remedy. */

/** Checks a length of time, which may be zero or endless. */
export function checkDuration(argument: string, value: unknown): number {
  if (typeof value === "number" && value >= 0) return value;
  throw invalidArgument(argument, value, "use milliseconds, zero or more");
}

/** Checks a length of time where forever makes no sense. */
export function checkFiniteDuration(argument: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && value <= MAX_LEASE_MS) return value;
  throw invalidArgument(argument, value, "use milliseconds, zero or more, and at most a year");
}

/** The shortest lease that a request, a renewal and a guard fit into. */
export const MIN_LEASE_MS = 100;
const MAX_LEASE_MS = 365 * 24 * 60 * 60 * 1000;

/** Checks how long something is held at least, however soon its work ends. */
export function checkHoldAtLeast(argument: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_LEASE_MS)
    return value as number;
  throw invalidArgument(argument, value, "use a whole number of milliseconds, zero or more, and at most a year");
}

export function checkLease(argument: string, value: unknown): number {
  if (typeof value === "number" && value >= MIN_LEASE_MS && value <= MAX_LEASE_MS) return Math.round(value);
  throw invalidArgument(argument, value, `use milliseconds, at least ${MIN_LEASE_MS} and at most a year`);
}

export function checkCount(argument: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw invalidArgument(argument, value, "use a whole number, zero or more");
}

export function checkPriority(argument: string, value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw invalidArgument(argument, value, "use a whole number; higher is served first");
}

export function checkMode(argument: string, value: unknown): Mode {
  if (value === "exclusive" || value === "shared") return value;
  throw invalidArgument(argument, value, 'use "exclusive" or "shared"');
}

/** Permits of a semaphore; far more than there is room for holders of one each, but one may want many. */
const MAX_PERMITS = 1_000_000;

export function checkPermits(argument: string, value: unknown, orElse = ""): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_PERMITS) return value as number;
  throw invalidArgument(argument, value, `use a whole number from 1 to ${MAX_PERMITS}${orElse}`);
}

export function checkBoolean(argument: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw invalidArgument(argument, value, "use true or false");
}

export function checkString(argument: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw invalidArgument(argument, value, "use a string");
}

export function checkNonEmptyString(argument: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw invalidArgument(argument, value, "use a string that is not empty");
}

/** Checks what a key is, or begins with: a request for it could not be written otherwise. */
export function checkKeyText(argument: string, value: unknown): string {
  const text = checkString(argument, value);
  if (!HALF_PAIR.test(text)) return text;
  throw invalidArgument(argument, value, "it has half of a surrogate pair, which no key can have; leave that out");
}

const HALF_PAIR = /\p{Surrogate}/u;

/** Checks the name of a bucket, or of an access point that leads to one bucket. */
export function checkBucketName(argument: string, value: unknown): string {
  return checkPlace(argument, value, whyNoBucket);
}

/** Checks what a store of the caller's own calls the place of its objects. */
export function checkStorePlace(argument: string, value: unknown): string {
  return checkPlace(argument, value, whyNoPlaceForLocks);
}

function checkPlace(argument: string, value: unknown, whyNot: (name: string) => string | undefined): string {
  const name = checkNonEmptyString(argument, value);
  const fault = whyNot(name);
  if (fault !== undefined) throw invalidArgument(argument, value, fault);
  return name;
}

/** What goes into every entry of a record, which has to stay small. */
const MAX_TEXT_LENGTH = 200;

/** Checks a word for people to read. */
export function checkLabel(argument: string, value: unknown): string {
  if (typeof value === "string" && value.length <= MAX_TEXT_LENGTH) return value;
  throw invalidArgument(argument, value, `use a string of at most ${MAX_TEXT_LENGTH} characters`);
}

export function checkOwnerId(argument: string, value: unknown): string {
  return checkNonEmptyString(argument, checkLabel(argument, value));
}

/**
 * Refuses options that are not an object with these names; a caller may leave them out.
 * @returns a copy of what is given: to spread the object itself would leave out what it inherits, such as the getters of its class
 */
export function checkOptions<Options extends object>(
  argument: string,
  value: Options,
  names: OptionNames<Options>,
  need: "optional" | "required" = "optional",
): Options {
  const orNothing = need === "optional" ? ", or nothing" : "";
  if (value instanceof AbortSignal) throw invalidArgument(argument, value, "pass { signal }");
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidArgument(argument, value, `pass an object, such as ${exampleOf(names)}${orNothing}`);
  }
  if ("then" in value && typeof value.then === "function") {
    throw invalidArgument(argument, value, "it is a promise: await it, and pass what it comes to");
  }
  if (NOT_OPTIONS.test(Object.prototype.toString.call(value))) {
    throw invalidArgument(argument, value, `pass a plain object, such as ${exampleOf(names)}${orNothing}`);
  }
  refuseUnknownOptions(argument, value, names);
  const given = Object.keys(names).filter((name) => name in value);
  return Object.fromEntries(given.map((name) => [name, value[name as keyof Options]])) as Options;
}

/** Objects of the language that have no options in them, so that all would be taken for left out. */
const NOT_OPTIONS =
  /^\[object (?:Date|Error|DOMException|RegExp|Map|Set|WeakMap|WeakSet|ArrayBuffer|\w+Array|String|Number|Boolean)\]$/;

function exampleOf(names: Readonly<Record<string, true>>): string {
  const [name] = Object.keys(names);
  return "timeoutMs" in names ? "{ timeoutMs: 5000 }" : `{ ${name}: … }`;
}

export function checkSignal(argument: string, value: unknown): AbortSignal {
  if (value instanceof AbortSignal) return value;
  throw invalidArgument(argument, value, "use an AbortSignal");
}

// biome-ignore lint/complexity/noBannedTypes: nothing more can be seen of a function
export function checkFunction<Fn extends Function>(argument: string, value: unknown): Fn {
  if (typeof value === "function") return value as Fn;
  throw invalidArgument(argument, value, "pass a function");
}

/** Checks the value, or gives the default where it was not given. */
export function withDefault<T>(
  argument: string,
  value: unknown,
  fallback: T,
  check: (argument: string, value: unknown) => T,
): T {
  return value === undefined ? fallback : check(argument, value);
}

/** How names become keys: one-to-one, or as in 1.x, where several names could share a key. */
export type KeyEncoding = "one-to-one" | "1.x";

/** Checks the name of a lock, and gives its key. */
export function checkLockName(keyPrefix: string, value: unknown, encoding: KeyEncoding): string {
  const name = checkNonEmptyString("lockName", value);
  const result = encoding === "1.x" ? keyOfNameIn1x(keyPrefix, name) : keyOfName(keyPrefix, name);
  if (result.ok) return result.key;
  const remedy = `its key would have ${result.keyBytes} bytes, S3 allows ${MAX_KEY_BYTES}; use a shorter name (other characters than letters, digits, "-", "_" and "/" take three bytes for each byte of UTF-8)`;
  throw invalidArgument("lockName", name, remedy);
}

/** Gives the key of one of the further records of a semaphore, which is a little longer than that of the first, and checks its length. */
export function checkPart(anchorKey: string, name: string, part: number): string {
  const key = keyOfPart(anchorKey, part);
  const keyBytes = new TextEncoder().encode(key).length;
  if (keyBytes <= MAX_KEY_BYTES) return key;
  const remedy = `its permits lie in several records, and a key of theirs would have ${keyBytes} bytes, S3 allows ${MAX_KEY_BYTES}; use a shorter name`;
  throw invalidArgument("name", name, remedy);
}
