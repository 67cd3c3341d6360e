import { afterDecision, nowAt } from "../../src/core/client/swap.js";
import { begun, seen, settles } from "../../src/core/client/write-log.js";
import type { Attempt } from "../../src/core/expiry.js";
import { isListed, type LockRecord } from "../../src/core/record.js";
import {
  ABSENT,
  type Client,
  edit,
  etagNamed,
  etagOf,
  type Operation,
  type Request,
  type Snapshot,
  type Thread,
  writeId,
} from "../state.js";
import { versionOf } from "../version.js";
import { happen } from "./acquisition.js";
import { type Actor, actorIn, clocksOf, idOf, nextSequence, planOf, type Slot, storeTime, threadIn } from "./actor.js";
import { type Change, decide, type Reply, replyOf } from "./commands.js";
import { withSuccessor } from "./successor.js";
import { noteAnswered } from "./write-log.js";

/** `LockObject.swap`, from one answer to the next, by `core/client/swap.ts`. */

/** What a loop came to; nothing while it waits for an answer. */
export type Outcome =
  | { readonly kind: "done"; readonly thread: Thread; readonly reply: Reply; readonly contradicted: boolean }
  | { readonly kind: "polled" }
  | { readonly kind: "aborted"; readonly operation: Operation };

/** Lets the store answer the read; the answer may take its time. */
export function serveRead(actor: Actor, slot: Slot): void {
  const { client, world } = actor;
  const base = { version: world.object, askedAtMs: nextSequence(world) };
  client[slot] = { ...threadIn(client, slot), step: "read", base };
}

/** Takes the answer of the read: `writeLog.seen`, then the decision. */
export function receiveRead(actor: Actor, slot: Slot): Outcome | undefined {
  const { client } = actor;
  keep(client, threadIn(client, slot).base as Snapshot);
  client.disturbed = false;
  const thread = threadIn(client, slot);
  client[slot] = { ...thread, ...nowAt(thread.base) };
  if (thread.operation !== "poll") return turn(actor, slot);
  client[slot] = undefined;
  return { kind: "polled" };
}

/** Takes the first turn, on a version from before; the answers of polls are fresh enough to ask with. */
export function takeFirstTurn(actor: Actor, slot: Slot): Outcome | undefined {
  return turn(actor, slot);
}

/** Takes one turn: decides on a version, and sends what it has to become. */
function turn(actor: Actor, slot: Slot): Outcome | undefined {
  const { client, world } = actor;
  const started = threadIn(client, slot);
  const thread = started.operation === "release" ? withSuccessor(actor, started) : started;
  const write = world.writes + 1;
  const record = thread.base?.version?.record;
  noteSeen(actor, thread.base as Snapshot);
  // `Acquisition.command`
  if (thread.operation === "acquire") noteListed(actor, record);
  const { to: successor } = thread.passing;
  if (successor !== undefined) noteListed(actorIn(actor, world, successor), record);
  const { reply, change } = decide(actor, thread, record, attemptAt(actor, write));
  const next = afterDecision(thread, { changes: change !== undefined, isDoubted: false });
  if (next === "done") return done(actor, slot, thread, reply, false);
  if (next === "read" || change === undefined) {
    client[slot] = readAgain(thread);
    return undefined;
  }
  if (client.stopped && slot === "main") return abort(actor);
  world.writes = write;
  const meant = thread.sent.length === 0 ? new Set(record?.holders.map((holder) => holder.id)) : thread.meant;
  client[slot] = { ...thread, step: "writing", write, meant, sent: [...thread.sent, write] };
  send(actor, thread, change, write);
  return undefined;
}

function noteSeen({ client }: Actor, { version, askedAtMs }: Snapshot): void {
  client.writeLog = seen(client.writeLog, etagNamed(etagOf(version)), askedAtMs);
}

/** Notes what an unanswered write has left there: the caller may give up before a reply counts. */
function noteListed(actor: Actor, record: LockRecord | undefined): void {
  if (isListed(record, idOf(actor))) happen(actor, { kind: "listed" });
}

/** Follows `LockObject.#change` up to the moment at which the request leaves. */
function send(actor: Actor, { operation, base, passing }: Thread, change: Change, write: number): void {
  const { client, world, index } = actor;
  const condition = etagOf(base?.version);
  if (planOf(actor).kind === "client") {
    const reading = clocksOf(world, client);
    const sent = { writeId: writeId(write), etag: etagNamed(condition), sentAtMs: nextSequence(world), reading };
    // A transfer is a write of two acquisitions: `SharedLog`.
    const sharers = passing.to === undefined ? [client] : [client, edit(world, passing.to)];
    for (const one of sharers) one.writeLog = begun(one.writeLog, sent);
  }
  const version = change.kind === "write" ? versionOf(change.record, write, world.now, operation) : undefined;
  const request: Request = { client: index, write, condition, version, operation, sentTick: world.now, applied: false };
  world.requests = [...world.requests, request];
}

/** Takes the answer that the write has succeeded. */
export function receiveSuccess(actor: Actor, slot: Slot, request: Request): Outcome {
  const { client } = actor;
  const thread = threadIn(client, slot);
  // A `Date` that was not expected: the process was suspended while the request was under way.
  const contradicted = client.disturbed;
  client.disturbed = false;
  noteAnswered(actor, request.write);
  const own = client.writeLog.sent.find((sent) => sent.writeId === writeId(request.write));
  const snapshot = { version: request.version, askedAtMs: own?.sentAtMs ?? actor.world.sequence };
  noteSeen(actor, snapshot);
  keep(client, snapshot);
  return done(actor, slot, thread, replyOf(thread, request), contradicted);
}

/** Takes 409, 412 or 404: the condition did not hold, or so it was said. */
export function receiveConflict(actor: Actor, slot: Slot, request: Request): Outcome | undefined {
  const isAbsent = actor.world.object === undefined && request.condition !== ABSENT;
  if (settles({ kind: isAbsent ? "absent" : "conflict" })) noteAnswered(actor, request.write);
  return turnAgain(actor, slot);
}

/** Goes on without an answer: the write may have landed, land later, or never. */
export function receiveNothing(actor: Actor, slot: Slot, request: Request): Outcome | undefined {
  if (settles({ kind: "unknown", sent: true })) noteAnswered(actor, request.write);
  return turnAgain(actor, slot);
}

/** Follows `LockObject.#throwIfAborted`, at the top of a turn. */
export function abort({ client }: Actor): Outcome {
  const { operation } = threadIn(client, "main");
  client.main = undefined;
  return { kind: "aborted", operation };
}

/** Begins the next turn with a read, unless the loop was aborted. */
function turnAgain(actor: Actor, slot: Slot): Outcome | undefined {
  const { client } = actor;
  if (client.stopped && slot === "main") return abort(actor);
  client[slot] = readAgain(threadIn(client, slot));
  return undefined;
}

function done({ client }: Actor, slot: Slot, thread: Thread, reply: Reply, contradicted: boolean): Outcome {
  client[slot] = undefined;
  return { kind: "done", thread, reply, contradicted };
}

function readAgain(thread: Thread): Thread {
  return { ...thread, ...nowAt<Snapshot>(undefined), step: "reading", write: 0 };
}

/** Gives store time now, as this client knows it, and an id for the write. */
function attemptAt(actor: Actor, write: number): Attempt {
  return { now: storeTime(actor), writeId: writeId(write), toleranceMs: actor.config.toleranceMs };
}

/** Follows `LockObject.#keep`. */
function keep(client: Client, snapshot: Snapshot): void {
  if (client.latest === undefined || snapshot.askedAtMs >= client.latest.askedAtMs) client.latest = snapshot;
}
