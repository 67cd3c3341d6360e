import { S3MutexError } from "../errors.js";
import { closestTo } from "./closest.js";

/** The names of all options of a call; one that is missing here, or too many, does not compile. */
export type OptionNames<Options> = Readonly<Record<Options extends unknown ? keyof Options : never, true>>;

/**
 * Refuses options with a mistyped name, which would be taken for one that was not given, such as a time-out for none. What an object
 * inherits is given as much as its own, but for what every object has.
 * @throws S3MutexError `invalid-argument` for the first property that is not an option, with the nearest one that is. Its value
 * may be a secret and is not repeated.
 */
export function refuseUnknownOptions(argument: string, options: object, names: Readonly<Record<string, true>>): void {
  const { cannotBeCloned } = options as { readonly cannotBeCloned?: unknown };
  if (typeof cannotBeCloned === "symbol") {
    const [what = ""] = (cannotBeCloned.description ?? "").split(",");
    throw new S3MutexError(
      "invalid-argument",
      `${argument} is ${what}: pass options, and not what was made with them.`,
    );
  }
  const smuggled = Object.keys(names).find((name) => isOfEveryObject(options, name));
  if (smuggled !== undefined) {
    const message = `${argument} has ${quoted(smuggled)} from Object.prototype, which gives it to every object: remove it there`;
    throw new S3MutexError("invalid-argument", `${message}.`);
  }
  const unknown = namesIn(options).find((name) => !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  const known = Object.keys(names);
  const closest = closestTo(unknown, known);
  const remedy = closest === undefined ? listOf(known) : `did you mean ${closest}?`;
  const message = `${argument} has ${quoted(unknown)}, which is not an option here: ${remedy}`;
  throw new S3MutexError("invalid-argument", message.endsWith("?") ? message : `${message}.`);
}

/** Lists what is given: all that can be enumerated, and the getters of classes, which cannot. */
function namesIn(options: object): readonly string[] {
  const found: string[] = [];
  for (const name in options) if (Object.hasOwn(options, name) || !(name in Object.prototype)) found.push(name);
  for (const level of chainOf(options)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (get !== undefined && !(name in Object.prototype)) found.push(name);
    }
  }
  return found;
}

/** Lists the object and what it inherits from, but for what every object does. */
function chainOf(options: object): readonly object[] {
  const chain: object[] = [];
  for (let level: object | null = options; level !== null && level !== Object.prototype; ) {
    chain.push(level);
    level = Object.getPrototypeOf(level) as object | null;
  }
  return chain;
}

/** Says whether this comes from `Object.prototype`: no caller of ours has written it, and it would count for each call of the process. */
function isOfEveryObject(options: object, name: string): boolean {
  return name in options && name in Object.prototype && !chainOf(options).some((level) => Object.hasOwn(level, name));
}

function listOf(names: readonly string[]): string {
  return names.length === 1
    ? `the only one is ${names[0]}`
    : `there are ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function quoted(name: string): string {
  return JSON.stringify(name.length > MAX_LENGTH ? `${name.slice(0, MAX_LENGTH)}…` : name);
}

const MAX_LENGTH = 60;
