import { checkNonEmptyString } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import { isObject, parseJson } from "../core/json.js";
import { MAX_TOKEN } from "../core/record.js";

/** A hold of a process that this one is part of. The fencing token tells it from every other hold of that lock. */
export interface ParentHold {
  readonly bucketName: string;
  readonly key: string;
  readonly kind?: "semaphore";
  readonly name: string;
  readonly token: number;
}

/** Writes the text that a child process is handed. */
export function textOfHolds(holds: readonly ParentHold[]): string {
  return JSON.stringify({ s3MutexHeld: VERSION, holds });
}

/** @throws `invalid-argument` where it is not such a text */
export function checkHeldByParent(argument: string, value: unknown): readonly ParentHold[] {
  if (value === "") return [];
  const json = parseJson(checkNonEmptyString(argument, value));
  const { s3MutexHeld, holds } = isObject(json) ? json : {};
  if (s3MutexHeld !== VERSION || !Array.isArray(holds) || !holds.every(isParentHold)) {
    throw invalidArgument(argument, value, "pass what heldForChild() of this version returned, unchanged, or nothing");
  }
  return holds;
}

function isParentHold(value: unknown): value is ParentHold {
  if (!isObject(value)) return false;
  const { bucketName, key, kind, name, token } = value;
  const areTexts = [bucketName, key, name].every((text) => typeof text === "string" && text !== "");
  const isToken = Number.isSafeInteger(token) && (token as number) > 0 && (token as number) <= MAX_TOKEN;
  return areTexts && isToken && (kind === undefined || kind === "semaphore");
}

const VERSION = 1;
