import type { WithLockOptions } from "../primitives/call-options.js";
import type { WebLock, WebLockMode, WebLockOptions } from "./types.js";

/** A request whose arguments are what the standard wants. */
export interface CheckedRequest {
  readonly name: string;
  readonly mode: WebLockMode;
  readonly ifAvailable: boolean;
  readonly steal: boolean;
  readonly signal: AbortSignal | undefined;
  readonly callback: (lock: WebLock | null) => unknown;
}

/** Converts the arguments of `request` as Web IDL does, and in its order; then checks them in the order of the standard. */
export function checkedRequest(values: readonly unknown[]): CheckedRequest {
  if (values.length < 2) throw new TypeError(`request() takes a name and a callback, and was given ${values.length}`);
  const name = textOf("name", values[0]);
  const options = optionsOf(values.length === 2 ? undefined : values[1]);
  const callback = values.length === 2 ? values[1] : values[2];
  if (typeof callback !== "function") throw new TypeError("request(): the callback is not a function");
  const { steal, ifAvailable, mode, signal } = options;
  if (name.startsWith("-")) throw notSupported('names cannot start with "-"');
  if (steal && ifAvailable) throw notSupported("`steal` and `ifAvailable` exclude each other");
  if (steal && mode !== "exclusive") throw notSupported("`steal` is for exclusive locks");
  if (signal !== undefined && (steal || ifAvailable)) throw notSupported("`signal` is for requests that wait");
  signal?.throwIfAborted();
  return { name, ...options, callback: callback as CheckedRequest["callback"] };
}

/** Reads the members of a dictionary, in the order of their names. */
function optionsOf(value: unknown): Omit<CheckedRequest, "name" | "callback"> {
  if (value !== undefined && value !== null && typeof value !== "object" && typeof value !== "function") {
    throw new TypeError("request(): the options are not an object");
  }
  const given = (value ?? {}) as Readonly<Record<string, unknown>>;
  const ifAvailable = Boolean(given["ifAvailable"]);
  const mode = given["mode"] === undefined ? "exclusive" : textOf("mode", given["mode"]);
  if (mode !== "exclusive" && mode !== "shared") {
    throw new TypeError(`request(): mode is ${JSON.stringify(mode)}, and can be "exclusive" or "shared"`);
  }
  const signal = given["signal"];
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError("request(): signal is not an AbortSignal");
  }
  const steal = Boolean(given["steal"]);
  refuseOurs(given);
  return { ifAvailable, mode, signal, steal };
}

/**
 * Refuses an option of ours: its caller counts on it, and no browser knows it. The standard ignores what it does not know, also what is
 * mistyped.
 */
function refuseOurs(given: object): void {
  const ours = Object.keys(INSTEAD).find((name) => name in given && !(name in Object.prototype));
  if (ours === undefined) return;
  throw new TypeError(
    `request(): ${ours} is an option of S3Mutex, and Web Locks have none of this name: use ${INSTEAD[ours]}`,
  );
}

const MUTEX = "an S3Mutex";

/** What a request can do in place of what `acquire` and `withLock` take. */
const INSTEAD: Readonly<Record<string, string>> = {
  timeoutMs: "signal: AbortSignal.timeout(milliseconds)",
  retries: "ifAvailable, or signal",
  leaseMs: "lockTimeoutMs of createLockManager()",
  lockTimeoutMs: "lockTimeoutMs of createLockManager()",
  label: "label of createLockManager()",
  priority: MUTEX,
  holdAtLeastMs: MUTEX,
  reentrant: MUTEX,
  within: MUTEX,
} satisfies Record<Exclude<keyof WithLockOptions, keyof WebLockOptions> | "lockTimeoutMs", string>;

function textOf(argument: string, value: unknown): string {
  if (typeof value === "symbol") throw new TypeError(`request(): ${argument} is a symbol`);
  return String(value);
}

function notSupported(what: string): DOMException {
  return new DOMException(`request(): ${what}`, "NotSupportedError");
}
