import { invalidArgument } from "../arguments/invalid-argument.js";
import { type LockRef, permitsOf } from "../core/record.js";
import type { S3MutexError } from "../errors.js";
import type { AcquireRequest } from "../runtime/acquire/acquire-request.js";
import type { Hold } from "../runtime/hold/hold.js";
import { isTooMuch, ownDeadlock, tooMuchError } from "../runtime/hold/nest.js";
import type { AcquireCall } from "./acquire-call.js";

/** What a call that asks for a lock is to do. */
export type Nesting =
  /** Ask for the lock like any other. */
  | { readonly kind: "wait" }
  /** Nest in what it is part of. */
  | { readonly kind: "nest"; readonly outer: Hold }
  /** It would wait for its own end. */
  | { readonly kind: "refuse"; readonly error: S3MutexError };

/** What a caller says about nesting. */
export interface NestingOptions {
  readonly reentrant: boolean;
  /** The handle on the same lock that was named by `within`. */
  readonly within: Hold | undefined;
  /** How many permits there are, as far as is known. */
  readonly limit: number | undefined;
  /** Whether the call has options to nest: no other is advised to use them. */
  readonly mayNest: boolean;
}

/**
 * Decides whether a call nests in what its caller names, or in what a running function holds that it is part of. What is held by a call
 * that merely shares its asynchronous context gives it nothing. `held`: by functions that still run, the innermost first.
 */
export function nestingOf(
  held: readonly Hold[],
  ref: LockRef,
  request: AcquireRequest,
  { reentrant, within, limit = Number.POSITIVE_INFINITY, mayNest }: NestingOptions,
): Nesting {
  // Where that is in doubt, the store is asked before it comes in.
  if (within?.root.doubt.exists === false) within.assertHeld();
  const outer = within ?? held[0];
  if (outer === undefined) return { kind: "wait" };
  const refuse = (message: string): Nesting => ({ kind: "refuse", error: ownDeadlock(ref.name, outer, message) });
  const name = JSON.stringify(ref.name);
  if (ref.kind === "semaphore") {
    const own = permitsOf(held.map((hold) => hold.holder));
    const { permits } = request;
    if (own + permits <= limit) return { kind: "wait" };
    return refuse(
      `Deadlock: this call asks for ${permits} more of the ${limit} permits of ${name} inside of a function that holds ${own} itself.`,
    );
  }
  if (mayNest && isTooMuch(request.mode, outer)) return { kind: "refuse", error: tooMuchError(ref.name, outer) };
  if (!reentrant && within === undefined) {
    const deadlock = `Deadlock: this call asks for ${name} inside of the function that holds it, and would wait for its end.`;
    if (!mayNest) return refuse(`${deadlock} What is not part of that function belongs into mutex.detached().`);
    return refuse(
      `${deadlock} To nest, name the lock, { within: lock }, or pass { reentrant: true }; what is not part of that function belongs into mutex.detached().`,
    );
  }
  if (request.holdAtLeastMs > 0) {
    const remedy = `this call nests in a hold of ${name}, and does not decide how long that lasts; pass it where the lock is acquired`;
    throw invalidArgument("holdAtLeastMs", request.holdAtLeastMs, remedy);
  }
  return { kind: "nest", outer };
}

/** Throws, but for one attempt that does not ask to nest: it is told that the lock is not to be had. */
export function refusedUnlessAttempt(
  error: S3MutexError,
  { isAttempt = false, options }: Pick<AcquireCall, "isAttempt" | "options">,
): undefined {
  if (!isAttempt || options.reentrant === true || options.within !== undefined) throw error;
}
