import type { Attempt } from "../src/core/attempt.js";
import type { Holder, LockRecord } from "../src/core/record.js";
import type { ClockReading } from "../src/core/store-time.js";
import type { AcquireCommand, AcquireReply } from "../src/core/transition/acquire.js";
import type { Decision } from "../src/core/transition/decision.js";
import type { RenewReply } from "../src/core/transition/renew.js";
import type { ClientPlan, Configuration } from "./configuration.js";
import {
  ABSENT,
  ANY,
  acquisitionId,
  type Client,
  edit,
  etagOf,
  numberOfWrite,
  type Operation,
  type Request,
  type SentWrite,
  type Snapshot,
  type Thread,
  TICK_MS,
  type World,
  writeId,
} from "./state.js";
import type { Subject } from "./subject.js";
import { versionOf } from "./version.js";

/**
 * The client's loop: what `src/runtime` does between two answers, with the real decisions and the real `Attempts`. Each
 * function names the one that it mirrors. A step is whatever runs there without awaiting anything.
 *
 * All of them change the copy that they are given, see `fork` and `edit`.
 */

export interface Scene {
  readonly config: Configuration;
  readonly subject: Subject;
}

/** One actor in a copy of the world. */
export interface Actor extends Scene {
  readonly world: World;
  readonly index: number;
  readonly client: Client;
}

export type Slot = "main" | "side";
type Reply = { readonly kind: string };

/** An actor whose state may be changed. */
export function actorIn(scene: Scene, world: World, index: number): Actor {
  const { config, subject } = scene;
  return { config, subject, world, index, client: edit(world, index) };
}

// ---------------------------------------------------------------------------------------------------------------------
// The caller

/** `acquireLease`: a new `Acquisition`, whose `#ask` begins with the version seen last. */
export function beginAcquisition(actor: Actor): void {
  const { client, world } = actor;
  client.acquisitions += 1;
  client.phase = "asking";
  client.stopped = false;
  client.mayBePresent = false;
  client.robbed = false;
  client.attempts = [];
  client.holding = undefined;
  client.sinceMs = world.now * TICK_MS + planOf(actor).latestMs;
  client.lookedAt = client.sequence + 1;
  start(actor, "main", threadOf("acquire"));
}

/** `mutex.forceRelease`, `deleteLock`, `cleanupStaleLocks`: each begins with a read (`fromStore`). */
export function beginCommand({ client }: Actor, operation: Operation): void {
  client.phase = "asking";
  client.main = threadOf(operation);
}

/** `Acquisition.giveUp`: loops end at their next turn; what is under way is awaited and undone. */
export function giveUp(actor: Actor): void {
  const { client } = actor;
  client.stopped = true;
  if (client.phase === "waiting") over(actor);
}

/** `LockObject.#throwIfAborted`, at the top of a turn: an aborted loop that is not waiting for an answer ends. */
export function endAborted(actor: Actor): void {
  abortMain(actor);
}

/** `Acquisition.#waitOn`: sleeps, then looks; the answer is fresh enough for the next `#ask`. */
export function look(actor: Actor): void {
  const { client, world } = actor;
  client.phase = "asking";
  client.lookedAt = nextSequence(client);
  const base = { version: world.object, asked: client.sequence };
  client.main = { ...threadOf("acquire"), step: "read", base, looked: true };
}

/** `Lease.renew`, by its timer or its user. */
export function beginRenewal(actor: Actor): void {
  start(actor, "main", threadOf("renew"));
}

/** `Lease.release`: `#releaseOnce` stops a renewal and gives back, beginning with the version seen last. */
export function beginRelease(actor: Actor): void {
  const { client } = actor;
  client.phase = "ending";
  client.stopped = true;
  start(actor, "side", threadOf("release"));
}

/** `Lease.lose`, when the deadline has passed or the record says that it is gone. */
export function lose(actor: Actor): void {
  const { client, subject } = actor;
  client.stopped = true;
  if (subject.rules.cancelsOnLoss) cancelLeftovers(actor, true);
  else finish(actor);
}

/** `Lease.#releaseOnce` where `giveBack` throws: the store did not answer until the lease was over. */
export function failRelease(actor: Actor): void {
  actor.client.side = undefined;
  cancelLeftovers(actor, true);
}

/** The process is gone, with all that it remembers. */
export function crash({ client }: Actor): void {
  client.phase = "dead";
  client.main = undefined;
  client.side = undefined;
  client.latest = undefined;
  client.attempts = [];
  client.holding = undefined;
}

/** `Lease.isHeld`. */
export function believes({ config, subject }: Scene, world: World, client: Client): boolean {
  return client.phase === "holding" && beliefMs({ config, subject }, world, client) > 0;
}

/** `Lease.remainingMs`. */
export function beliefMs({ subject, config }: Scene, world: World, client: Client): number {
  if (client.holding === undefined) return 0;
  return subject.remainingMs(config.leaseMs, client.holding.reading, clocksOf(world, client));
}

// ---------------------------------------------------------------------------------------------------------------------
// LockObject.swap

/** The first turn of a loop: it reads unless there is a version from before and store time is known. */
function start(actor: Actor, slot: Slot, thread: Thread): void {
  const { client } = actor;
  if (client.latest === undefined || client.disturbed) {
    client[slot] = thread;
    return;
  }
  const isFresh = thread.operation === "acquire" && client.latest.asked >= client.lookedAt;
  apply(actor, slot, { ...thread, base: client.latest }, isFresh);
}

/** The store answers the read; the answer may take its time. */
export function serveRead(actor: Actor, slot: Slot): void {
  const { client, world } = actor;
  const asked = nextSequence(client);
  client[slot] = { ...threadIn(client, slot), step: "read", base: { version: world.object, asked } };
}

/** The answer of the read is here: `attempts.seen`, then the decision. */
export function receiveRead(actor: Actor, slot: Slot): void {
  const { client } = actor;
  const thread = threadIn(client, slot);
  const base = thread.base as Snapshot;
  keep(client, base);
  client.disturbed = false;
  if (!thread.looked) noteSeen(actor, base);
  apply(actor, slot, thread, true);
}

/** One turn: decide on a version, and send what it has to become. */
function apply(actor: Actor, slot: Slot, thread: Thread, isFresh: boolean): void {
  const { client, world } = actor;
  const base = thread.base as Snapshot;
  const write = world.writes + 1;
  const record = base.version?.record;
  const decision = decide(actor, thread, record, attemptAt(actor, write));
  const memory = thread.sent.length === 0 ? new Set(record?.holders.map((holder) => holder.id)) : thread.meant;
  if (decision.change === undefined) {
    if (isFresh) return conclude(actor, slot, thread, decision.reply, false);
    client[slot] = readAgain(thread);
    return;
  }
  if (client.stopped && slot === "main") return abortMain(actor);
  world.writes = write;
  const next = { ...thread, step: "writing" as const, looked: false, write, meant: memory };
  client[slot] = { ...next, sent: [...thread.sent, write] };
  send(actor, thread, decision.change, write);
}

/** `LockObject.#change` up to the moment at which the request leaves. */
function send(actor: Actor, thread: Thread, change: NonNullable<Decision<Reply>["change"]>, write: number): void {
  const { client, world, subject, index } = actor;
  const { operation, base } = thread;
  const condition = subject.rules.unconditional.includes(operation) ? ANY : etagOf(base?.version);
  if (planOf(actor).kind === "client") {
    const reading = clocksOf(world, client);
    const sent: SentWrite = { write, condition, sequence: nextSequence(client), reading, unresolved: true };
    client.attempts = [...client.attempts, sent];
  }
  const version = change.kind === "write" ? versionOf(subject, change.record, write, world.now, operation) : undefined;
  const request: Request = { client: index, write, condition, version, operation, sentTick: world.now, applied: false };
  world.requests = [...world.requests, request];
}

/** The write was answered with success. */
export function receiveSuccess(actor: Actor, slot: Slot, request: Request): void {
  const { client } = actor;
  const thread = threadIn(client, slot);
  // A `Date` that nobody expected: the process was suspended while the request was under way.
  const contradicted = client.disturbed;
  client.disturbed = false;
  noteAnswered(client, request.write);
  const own = client.attempts.find((sent) => sent.write === request.write);
  const snapshot = { version: request.version, asked: own?.sequence ?? client.sequence };
  noteSeen(actor, snapshot);
  keep(client, snapshot);
  // What was sent is what was decided: the decision is made again to have its reply, which depends on nothing that changed.
  conclude(actor, slot, thread, replyOf(thread, request), contradicted);
}

/** 409, 412 or 404: the condition did not hold, or so it was said. Only where there is no object does that settle the write. */
export function receiveConflict(actor: Actor, slot: Slot, request: Request): void {
  const { client, subject, world } = actor;
  const thread = threadIn(client, slot);
  const isSettled = world.object === undefined && request.condition !== ABSENT;
  if (isSettled || subject.rules.conflictSettles) noteAnswered(client, request.write);
  if (subject.rules.conflictMeans === "held-by-another" && thread.operation === "acquire") {
    client.main = undefined;
    return finish(actor);
  }
  turnAgain(actor, slot, thread);
}

/** No answer: the write may have landed, land later, or never. */
export function receiveNothing(actor: Actor, slot: Slot): void {
  turnAgain(actor, slot, threadIn(actor.client, slot));
}

/** The next turn begins with a read, unless the loop was aborted. */
function turnAgain(actor: Actor, slot: Slot, thread: Thread): void {
  const { client } = actor;
  client[slot] = readAgain(thread);
  if (client.stopped && slot === "main") abortMain(actor);
}

function abortMain(actor: Actor): void {
  const { client } = actor;
  const operation = client.main?.operation;
  client.main = undefined;
  if (operation === "acquire" || operation === "confirm") over(actor);
}

function readAgain(thread: Thread): Thread {
  return { ...thread, step: "reading", base: undefined, looked: false, write: 0 };
}

/** Store time now, as this client knows it, and an id for the write. */
function attemptAt(actor: Actor, write: number): Attempt {
  const { world, config } = actor;
  const { earliestMs, latestMs } = planOf(actor);
  const trueMs = world.now * TICK_MS;
  const now = { earliestMs: trueMs + earliestMs, latestMs: trueMs + latestMs };
  return { now, writeId: writeId(write), toleranceMs: config.toleranceMs };
}

// ---------------------------------------------------------------------------------------------------------------------
// Commands and their replies

function decide(actor: Actor, thread: Thread, record: LockRecord | undefined, attempt: Attempt): Decision<Reply> {
  const { subject, client, config } = actor;
  const attempted = new Set(thread.sent.map(writeId));
  const restMs = config.removal?.restMs ?? Number.POSITIVE_INFINITY;
  switch (thread.operation) {
    case "acquire":
      return subject.acquire(record, acquireCommand(actor), attempt);
    case "confirm":
    case "renew": {
      // `renewing` of `runtime/repeatable.ts`; after a grant is handed out its token is the lease's.
      const token = client.holding?.holder.token ?? 0;
      const command = { id: idOf(actor), token, leaseMs: config.leaseMs, onlyUnexpired: false, attempted };
      return subject.renew(record, command, attempt);
    }
    case "release":
      return subject.release(record, { id: idOf(actor) }, attempt);
    case "cancel": {
      const mustChange = client.attempts.some((sent) => sent.unresolved);
      return subject.cancel(record, { id: idOf(actor), mustChange }, attempt);
    }
    case "force":
      return subject.forceRelease(record, { ids: attempted.size === 0 ? undefined : thread.meant }, attempt);
    case "delete": {
      const memory = { writeIds: attempted, holderIds: thread.meant ?? new Set<string>() };
      const command = { owner: undefined, restMs, ...(attempted.size === 0 ? {} : { attempted: memory }) };
      return subject.deleteLock(record, command, attempt);
    }
    case "cleanup":
      return subject.cleanup(record, { olderThanMs: undefined, includeReleased: true, restMs, attempted }, attempt);
  }
}

/** `Acquisition.command`. */
function acquireCommand(actor: Actor): AcquireCommand {
  const { config, client, index } = actor;
  const { entryLifeMs } = config;
  return {
    id: idOf(actor),
    owner: `c${index}`,
    via: "handle",
    mode: "exclusive",
    priority: planOf(actor).priority,
    leaseMs: config.leaseMs,
    identity: {},
    sinceMs: client.sinceMs,
    entry: entryLifeMs === undefined ? undefined : { lifeMs: entryLifeMs, roundTripMs: 0, holds: [] },
  };
}

/** What the decision that led to this request replied, read off what it sent. */
function replyOf({ operation }: Thread, { version, write }: Request): Reply {
  if (operation === "release") return { kind: "released" };
  if (operation !== "acquire" && operation !== "confirm" && operation !== "renew") return { kind: "done" };
  const holder = version?.record.holders.find((one) => numberOfWrite(one.renewal) === write);
  if (holder === undefined) return { kind: "waiting", enqueued: true, position: 0 } as AcquireReply;
  return { kind: operation === "acquire" ? "granted" : "renewed", holder } as AcquireReply | RenewReply;
}

/** The reply is known to be true: what the caller of `swap` does with it. */
function conclude(actor: Actor, slot: Slot, thread: Thread, reply: Reply, contradicted: boolean): void {
  const { client } = actor;
  client[slot] = undefined;
  switch (thread.operation) {
    case "acquire":
      return concludeAcquire(actor, reply as AcquireReply, contradicted);
    case "confirm":
      return concludeConfirm(actor, reply as RenewReply, thread, contradicted);
    case "renew":
      return concludeRenewal(actor, reply as RenewReply, contradicted);
    case "release":
      if (reply.kind === "released") return finish(actor);
      return cancelLeftovers(actor, false);
    default:
      return finish(actor);
  }
}

/** `Acquisition.#waitForGrant` after `#ask`. */
function concludeAcquire(actor: Actor, reply: AcquireReply, contradicted: boolean): void {
  const { client } = actor;
  if (reply.kind === "waiting") client.mayBePresent ||= reply.enqueued;
  if (reply.kind === "granted" && actor.subject.rules.presentFrom === "granted") client.mayBePresent = true;
  if (client.stopped) return over(actor);
  if (reply.kind === "granted") return confirm(actor, reply.holder, contradicted, 0);
  if (reply.kind === "waiting") client.phase = "waiting";
  else start(actor, "main", threadOf("acquire"));
}

/** `confirmGrant`: a lease is handed out with at least half of it left; otherwise it is renewed first. */
function confirm(actor: Actor, holder: Holder, contradicted: boolean, renewals: number): void {
  const { client, world, subject, config } = actor;
  client.mayBePresent = true;
  const clocks = clocksOf(world, client);
  const reading = subject.leaseReading(client.attempts, numberOfWrite(holder.renewal), clocks);
  const leftMs = reading === undefined ? 0 : subject.remainingMs(config.leaseMs, reading, clocks);
  const enoughMs = renewals < MAX_RENEWALS ? config.leaseMs / 2 : 0;
  if (reading !== undefined && !contradicted && leftMs > enoughMs) {
    // `Acquisition.run` undoes a grant that nobody waits for any more.
    if (client.stopped) return over(actor);
    client.phase = "holding";
    client.holding = { holder, reading };
    return;
  }
  if (renewals >= MAX_RENEWALS) return over(actor);
  client.phase = "confirming";
  start(actor, "main", { ...threadOf("confirm"), renewals: renewals + 1 });
}

/** `MAX_RENEWALS` of `runtime/confirm.ts`. */
const MAX_RENEWALS = 3;

function concludeConfirm(actor: Actor, reply: RenewReply, { renewals }: Thread, contradicted: boolean): void {
  if (reply.kind === "renewed") return confirm(actor, reply.holder, contradicted, renewals);
  const { client } = actor;
  if (client.stopped) return over(actor);
  client.phase = "asking";
  start(actor, "main", threadOf("acquire"));
}

/** `Lease.#applyRenewal`. */
function concludeRenewal(actor: Actor, reply: RenewReply, contradicted: boolean): void {
  const { client, world, subject } = actor;
  if (client.stopped && !(subject.rules.heedsLateRenewals && reply.kind === "renewed")) return;
  if (reply.kind === "gone") return lose(actor);
  if (subject.rules.heedsLateRenewals) client.phase = "holding";
  const clocks = clocksOf(world, client);
  const reading = subject.leaseReading(client.attempts, numberOfWrite(reply.holder.renewal), clocks);
  if (reading === undefined) return;
  client.holding = {
    holder: reply.holder,
    reading: contradicted ? readingAfterContradiction(actor, reply.holder, reading) : reading,
  };
}

/** `Lease.#readingAfterContradiction`: what the new bounds leave of the published expiry is all that may be believed. */
function readingAfterContradiction(actor: Actor, holder: Holder, reading: ClockReading): ClockReading {
  const { world, client } = actor;
  const clocks = clocksOf(world, client);
  const latestMs = world.now * TICK_MS + planOf(actor).latestMs;
  const usedMs = holder.leaseMs - (holder.expiresAtMs - latestMs);
  const from = { monotonicMs: clocks.monotonicMs - usedMs, wallMs: clocks.wallMs - usedMs };
  return from.monotonicMs < reading.monotonicMs ? from : reading;
}

// ---------------------------------------------------------------------------------------------------------------------
// What is left over

/** `Acquisition.#undo`. */
function over(actor: Actor): void {
  const { client, subject } = actor;
  client.stopped = true;
  client.main = undefined;
  if (subject.rules.cancelsOnGiveUp) cancelLeftovers(actor, client.mayBePresent);
  else finish(actor);
}

/** `cancelLeftovers`. */
function cancelLeftovers(actor: Actor, mayBePresent: boolean): void {
  const { client } = actor;
  if (!mayBePresent && !client.attempts.some((sent) => sent.unresolved)) return finish(actor);
  client.phase = "ending";
  client.holding = undefined;
  start(actor, "side", threadOf("cancel"));
}

/** From here on it is promised that nothing of the acquisition is left, and that nothing of it can land. */
function finish({ client }: Actor): void {
  client.phase = "idle";
  client.holding = undefined;
}

// ---------------------------------------------------------------------------------------------------------------------
// Attempts, clocks, names

/** `Attempts.seen`, asked of the real one for each write. */
function noteSeen({ client, subject }: Actor, { version, asked }: Snapshot): void {
  client.attempts = client.attempts.map((sent) =>
    sent.unresolved && !subject.isUnresolvedAfter(sent, etagOf(version), asked) ? { ...sent, unresolved: false } : sent,
  );
}

/** `Attempts.answered`. */
function noteAnswered(client: Client, write: number): void {
  client.attempts = client.attempts.map((sent) => (sent.write === write ? { ...sent, unresolved: false } : sent));
}

/** `LockObject.#keep`. */
function keep(client: Client, snapshot: Snapshot): void {
  if (client.latest === undefined || snapshot.asked >= client.latest.asked) client.latest = snapshot;
}

function clocksOf(world: World, client: Client): ClockReading {
  const wallMs = world.now * TICK_MS;
  return { monotonicMs: wallMs - client.lagMs, wallMs };
}

function nextSequence(client: Client): number {
  client.sequence += 1;
  return client.sequence;
}

export function threadIn(client: Client, slot: Slot): Thread {
  return client[slot] as Thread;
}

function threadOf(operation: Operation): Thread {
  const nothing = { base: undefined, looked: false, write: 0, sent: [], meant: undefined, renewals: 0 };
  return { operation, step: "reading", ...nothing };
}

function planOf({ config, index }: Pick<Actor, "config" | "index">): ClientPlan {
  return config.clients[index] as ClientPlan;
}

function idOf({ client, index }: Actor): string {
  return acquisitionId(index, client.acquisitions - 1);
}

export function idleClient(): Client {
  return {
    phase: "idle",
    acquisitions: 0,
    sinceMs: 0,
    stopped: false,
    mayBePresent: false,
    main: undefined,
    side: undefined,
    latest: undefined,
    lookedAt: 0,
    attempts: [],
    holding: undefined,
    lagMs: 0,
    disturbed: false,
    robbed: false,
    sequence: 0,
  };
}
