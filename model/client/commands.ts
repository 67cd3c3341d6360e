import { mustChange } from "../../src/core/client/leftovers.js";
import { hasUnresolved } from "../../src/core/client/write-log.js";
import type { Attempt } from "../../src/core/expiry.js";
import type { LockRecord } from "../../src/core/record.js";
import type { AcquireCommand, AcquireReply } from "../../src/core/transition/acquire.js";
import type { Decision } from "../../src/core/transition/decision.js";
import type { ReleaseReply } from "../../src/core/transition/release.js";
import type { RenewReply } from "../../src/core/transition/renew.js";
import {
  clientAt,
  clientOf,
  numberOfAcquisition,
  numberOfWrite,
  type Request,
  type Thread,
  writeId,
} from "../state.js";
import { type Actor, idOf, planOf } from "./actor.js";

/** What a loop came to, in the words of its caller. */
export type Reply =
  | { readonly operation: "acquire"; readonly reply: AcquireReply }
  | { readonly operation: "confirm" | "renew"; readonly reply: RenewReply }
  | { readonly operation: "release"; readonly left: ReleaseReply["kind"]; readonly to: AcquireReply | undefined }
  | { readonly operation: "poll" | "cancel" | "force" | "delete" | "cleanup" };

export type Change = NonNullable<Decision<unknown>["change"]>;

/** Takes the decision of core on a record: what `src/runtime` asks of it. */
export function decide(
  actor: Actor,
  thread: Thread,
  record: LockRecord | undefined,
  attempt: Attempt,
): { readonly reply: Reply; readonly change?: Change | undefined } {
  const { operation } = thread;
  switch (operation) {
    case "acquire": {
      const { reply, ...change } = actor.subject.acquire(record, acquireCommand(actor), attempt);
      return { reply: { operation, reply }, ...change };
    }
    case "confirm":
    case "renew": {
      const { reply, ...change } = renew(actor, thread, record, attempt);
      return { reply: { operation, reply }, ...change };
    }
    case "release":
      return giveBack(actor, thread, record, attempt);
    default: {
      const { change } = decideOther(actor, thread, record, attempt);
      return { reply: { operation }, ...(change === undefined ? {} : { change }) };
    }
  }
}

/** Follows `renewing` of `runtime/swap/repeatable.ts`. */
function renew(actor: Actor, thread: Thread, record: LockRecord | undefined, attempt: Attempt): Decision<RenewReply> {
  const { subject, client, config } = actor;
  const token = client.holding?.holder.token ?? 0;
  const attempted = new Set(thread.sent.map(writeId));
  const onlyUnexpired = thread.operation === "renew" && planOf(actor).onlyUnexpired;
  const command = { id: idOf(actor), token, leaseMs: config.leaseMs, onlyUnexpired, attempted };
  return subject.renew(record, command, attempt);
}

/** Follows `LocalQueue.giveBack`: a transfer where a caller of the same process waits. */
function giveBack(actor: Actor, thread: Thread, record: LockRecord | undefined, attempt: Attempt) {
  const { subject, world } = actor;
  const { operation } = thread as { operation: "release" };
  const from = { id: idOf(actor) };
  const index = thread.passing.to;
  if (index === undefined) {
    const { reply, ...change } = subject.release(record, from, attempt);
    return { reply: { operation, left: reply.kind, to: undefined }, ...change };
  }
  const to = acquireCommand({ ...actor, index, client: clientAt(world, index) });
  const { reply, ...change } = subject.transfer(record, { from, to }, attempt);
  return { reply: { operation, left: reply.from.kind, to: reply.to }, ...change };
}

/** Follows `cancelLeftovers`, and does what operators do: `forcing`, `deleting`, `sweeping` of `runtime/swap/repeatable.ts`. */
function decideOther(
  actor: Actor,
  thread: Thread,
  record: LockRecord | undefined,
  attempt: Attempt,
): { readonly change?: Change | undefined } {
  const { subject, client, config } = actor;
  const attempted = new Set(thread.sent.map(writeId));
  const isFirst = attempted.size === 0;
  const restMs = config.removal?.restMs ?? Number.POSITIVE_INFINITY;
  switch (thread.operation) {
    case "force":
      return subject.forceRelease(record, { ids: isFirst ? undefined : thread.meant }, attempt);
    case "delete": {
      const memory = { writeIds: attempted, holderIds: thread.meant ?? new Set<string>() };
      const command = { owner: undefined, restMs, ...(isFirst ? {} : { attempted: memory }) };
      return subject.deleteLock(record, command, attempt);
    }
    case "cleanup":
      return subject.cleanup(record, { olderThanMs: undefined, includeReleased: true, restMs, attempted }, attempt);
    default: {
      const remains = { entry: thread.entry, hasUnresolved: hasUnresolved(client.writeLog) };
      return subject.cancel(record, { id: idOf(actor), mustChange: mustChange(remains) }, attempt);
    }
  }
}

/** Follows `Acquisition.command`. */
function acquireCommand(actor: Pick<Actor, "config" | "client" | "index">): AcquireCommand {
  const { config, client } = actor;
  const { entryLifeMs } = config;
  const { mode, priority } = planOf(actor);
  return {
    id: idOf(actor),
    owner: `c${actor.index}`,
    via: "handle",
    mode,
    priority,
    leaseMs: config.leaseMs,
    identity: {},
    sinceMs: client.sinceMs,
    entry: entryLifeMs === undefined ? undefined : { lifeMs: entryLifeMs, roundTripMs: 0, holds: [] },
  };
}

/** Reads what the decision that led to this request replied off what it sent. */
export function replyOf(thread: Thread, request: Request): Reply {
  const { operation } = thread;
  const holder = request.version?.record.holders.find((one) => numberOfWrite(one.leaseWriteId) === request.write);
  switch (operation) {
    case "acquire":
      return { operation, reply: holder === undefined ? ENQUEUED : { kind: "granted", holder } };
    case "confirm":
    case "renew":
      return { operation, reply: holder === undefined ? GONE : { kind: "renewed", holder } };
    case "release":
      return { operation, left: "released", to: grantTo(thread.passing.to, request) };
    default:
      return { operation };
  }
}

const ENQUEUED = { kind: "waiting", enqueued: true, position: 0, turnsAhead: 0 } as const;
const GONE = { kind: "gone", reason: "taken-over" } as const;

/** Says what a transfer did for the one it was to. */
function grantTo(index: number | undefined, { version, write }: Request): AcquireReply | undefined {
  if (index === undefined) return undefined;
  const isOf = ({ id }: { readonly id: string }) => clientOf(numberOfAcquisition(id)) === index;
  const holder = version?.record.holders.find((one) => isOf(one) && numberOfWrite(one.leaseWriteId) === write);
  if (holder !== undefined) return { kind: "granted", holder };
  return { ...ENQUEUED, enqueued: version?.record.queue.some(isOf) ?? false };
}
