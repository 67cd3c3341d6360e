import { invalidArgument } from "./arguments.js";
import type { LockRef } from "./core/deadlock.js";
import { permitsOf } from "./core/record.js";
import { S3MutexError } from "./errors.js";
import type { AcquireRequest } from "./runtime/acquire-request.js";
import { toPublicEdge } from "./runtime/deadlock-watch.js";
import type { Lease } from "./runtime/lease.js";

/**
 * What becomes of a scope that asks for what it holds itself: another handle on the same hold, or an error at once instead of a
 * wait for ever. Undefined where it may well wait: it holds nothing of this lock, or permits that leave room for more.
 */
export function nest(
  held: readonly Lease[],
  ref: LockRef,
  request: AcquireRequest,
  reentrant: boolean,
): Lease | undefined {
  const [first] = held;
  if (first === undefined) return undefined;
  const name = JSON.stringify(ref.name);
  if (ref.kind === "semaphore") {
    const own = permitsOf(held.map((lease) => lease.holder));
    const { permits, limit } = request;
    if (own + permits <= limit) return undefined;
    const message = `Deadlock: the scope that asks for ${permits} more of the ${limit} permits of ${name} holds ${own} itself.`;
    throw ownDeadlock(ref, first, message);
  }
  if (request.mode === "exclusive" && first.holder.mode === "shared") {
    const message = `Deadlock: the scope that asks for all of ${name} shares it itself, and two that did so would wait for each other: release the share first, or begin with { mode: "exclusive" } and downgrade().`;
    throw ownDeadlock(ref, first, message);
  }
  if (!reentrant) {
    const message = `Deadlock: the scope that asks for ${name} holds it itself; pass { reentrant: true } to nest.`;
    throw ownDeadlock(ref, first, message);
  }
  first.share();
  return first;
}

function ownDeadlock({ name: lockName }: LockRef, { holder }: Lease, message: string): S3MutexError {
  return new S3MutexError("deadlock", message, { lockName, cycle: [toPublicEdge({ lockName, holder })] });
}

/**
 * Each process that holds permits renews them in one write, and writes of one object come one after the other. All of them have
 * to fit into the third of a lease after which they come again.
 */
export function checkRenewable({ limit, leaseMs }: AcquireRequest, roundTripMs: number): void {
  if (limit === 1) return;
  const neededMs = Math.ceil(Math.min(limit, MAX_RENEWERS) * ROUND_TRIPS_PER_WRITE * roundTripMs * 3);
  if (leaseMs >= neededMs) return;
  const remedy = `${limit} permits could not all be renewed in time at ${Math.ceil(roundTripMs)} ms a round trip; use at least ${neededMs} ms`;
  throw invalidArgument("leaseMs", leaseMs, remedy);
}

/** A look and a write. */
const ROUND_TRIPS_PER_WRITE = 2;
/** A record has no room for many more holders. */
const MAX_RENEWERS = 120;
