import type { SentWrite } from "../src/core/client/write-log.js";
import type { Scene } from "./client/actor.js";
import { widestOf } from "./clocks.js";
import type { ClientPlan, Configuration } from "./configuration.js";
import { canStillLand, isReadingNeeded } from "./network.js";
import {
  type Client,
  clientAt,
  clientOf,
  conditionOf,
  etagOf,
  handedTo,
  indexWithinClient,
  numberOfAcquisition,
  numberOfWrite,
  type Request,
  type Snapshot,
  type Thread,
  TICK_MS,
  type Version,
  type World,
} from "./state.js";
import { ACQUISITION, PLAIN, QUEUE_TIME, REST_TIME, TIME, TOKEN, WRITE } from "./version.js";

/**
 * 64 bits that stand for a state. Two states are one if they differ only in what cannot matter: absolute times (all are
 * relative to now, and anything long past is just past), names of writes (numbered by first appearance), the order of
 * interchangeable clients, turns that are not asked about.
 */
export class Fingerprint {
  high = 0;
  low = 0;
  readonly #config: Configuration;
  /** Times that lie further back than this cannot be told apart by any decision. */
  readonly #longAgo: { readonly expiry: number; readonly token: number; readonly queue: number; readonly rest: number };
  readonly #names: number[] = [];
  /** By name: whether the body was told already. */
  readonly #told: boolean[] = [];
  readonly #place: number[] = [];
  #nowMs = 0;
  /** What comes of a transfer depends on whether it was granted the lock before. */
  readonly #hasTransfers: boolean;
  #world!: World;

  constructor({ config }: Scene) {
    this.#config = config;
    this.#hasTransfers = config.clients.some(({ process }) => process !== undefined);
    const { earliestMs, latestMs } = widestOf(config.clients.flatMap(({ clocks }) => clocks));
    const clocksMs = Math.max(-earliestMs, latestMs);
    const lifeMs = (config.removal?.requestLifeTicks ?? 0) * TICK_MS;
    this.#longAgo = {
      expiry: config.toleranceMs + clocksMs + 1,
      token: 2 * clocksMs + lifeMs + 1,
      queue: 10 * TICK_MS,
      rest: Math.max(config.removal?.restMs ?? 0, lifeMs) + 2 * clocksMs + 1,
    };
  }

  take(world: World): void {
    this.high = 0x9747b28c;
    this.low = 0x2f0b4c47;
    this.#names.length = 0;
    this.#told.length = 0;
    this.#world = world;
    this.#nowMs = world.now * TICK_MS;
    this.#object(world.object);
    const order = this.#config.symmetric ? this.#sorted(world) : undefined;
    for (let at = 0; at < world.clients.length; at += 1) this.#place[order?.[at] ?? at] = at;
    for (let at = 0; at < world.clients.length; at += 1) this.#client(clientAt(world, order?.[at] ?? at));
    this.#ghost(world);
    for (let at = 0; at < world.clients.length; at += 1) this.#requests(world.requests, order?.[at] ?? at);
  }

  // -------------------------------------------------------------------------------------------------------------------

  #mix(value: number): void {
    this.high = mixed(this.high, value, 0xcc9e2d51, 0x1b873593);
    this.low = mixed(this.low, value, 0x85ebca6b, 0xc2b2ae35);
  }

  /** Mixes in the name of a write, which is its number by first appearance. */
  #name(id: number): number {
    const known = this.#names.indexOf(id);
    const name = known === -1 ? this.#names.push(id) - 1 : known;
    this.#mix(name);
    return name;
  }

  #time(ms: number, longAgoMs: number): void {
    this.#mix(Math.max(ms - this.#nowMs, -longAgoMs));
  }

  #object(version: Version | undefined): void {
    // Names first: entries are told by whose they are, which the order of clients decides.
    this.#names.push(0);
    if (version !== undefined) this.#names.push(version.etag);
  }

  #version(version: Version | undefined): void {
    const name = this.#name(etagOf(version));
    if (version === undefined || this.#told[name]) return;
    this.#told[name] = true;
    const { code, turnsFrom } = version;
    for (let at = 0; at < turnsFrom; at += 2) this.#field(code[at] as number, code[at + 1] as number);
    const hasQueue = this.#config.entryLifeMs !== undefined;
    for (let at = turnsFrom; at < code.length; at += 8) {
      if (!hasQueue && !this.#isAskedAbout(code[at + 1] as number)) continue;
      for (let field = at; field < at + 8; field += 2) this.#field(code[field] as number, code[field + 1] as number);
    }
    if (this.#config.removal !== undefined) this.#time(version.sentTick * TICK_MS, this.#longAgo.rest);
  }

  /** Says whether turns matter: without a queue, they are only there for a client that gives a lock back to see that it did. */
  #isAskedAbout(acquisition: number): boolean {
    const client = clientAt(this.#world, clientOf(acquisition));
    return client.phase === "ending" && client.acquisitions - 1 === indexWithinClient(acquisition);
  }

  #field(kind: number, value: number): void {
    if (kind === PLAIN) this.#mix(value);
    else if (kind === WRITE) this.#name(value);
    else if (kind === ACQUISITION) this.#acquisition(value);
    else if (kind === TOKEN) this.#time(value, this.#longAgo.token);
    else if (kind === TIME) this.#time(value, this.#longAgo.expiry);
    else if (kind === QUEUE_TIME && this.#config.entryLifeMs !== undefined) this.#time(value, this.#longAgo.queue);
    else if (kind === REST_TIME && this.#config.removal !== undefined) this.#time(value, this.#longAgo.rest);
  }

  #acquisition(number: number): void {
    const client = clientOf(number);
    const age = clientAt(this.#world, client).acquisitions - indexWithinClient(number);
    this.#mix((this.#place[client] as number) * 64 + age);
  }

  #client(client: Client): void {
    const { main, side, latest, writeLog } = client;
    const handed = handedTo(client);
    const isAsking = client.phase === "asking" || client.phase === "waiting" || client.phase === "confirming";
    this.#mix(PHASES.indexOf(client.phase) + 8 * client.acquisitions);
    this.#mix(
      flags(
        client.stopped,
        isAsking && client.acquisition.mayBePresent,
        client.disturbed,
        client.forcedOut,
        handed !== undefined,
        client.isClosing,
        client.closedAt !== undefined,
        this.#hasTransfers && client.acquisition.phase === "granted",
      ),
    );
    this.#mix(client.clock);
    if (this.#config.entryLifeMs !== undefined && isAsking) this.#time(client.sinceMs, this.#longAgo.queue);
    this.#thread(client, main);
    this.#thread(client, side);
    this.#name(latest === undefined ? NOTHING : etagOf(latest.version));
    if (latest !== undefined) this.#version(latest.version);
    if (latest !== undefined && isAsking) this.#mix(flags(latest.askedAtMs >= client.lookedAt));
    this.#mix(writeLog.sent.length);
    for (const sent of writeLog.sent) this.#attempt(client, sent);
    if (handed !== undefined) this.#name(numberOfWrite(handed.holder.leaseWriteId));
    if (client.holding === undefined) return;
    this.#reading(client, client.holding.reading);
    // Unless its clocks have parted, the expiry is a lease after the reading.
    if (this.#config.budget.pause > 0) this.#time(client.holding.holder.expiresAtMs, this.#config.leaseMs);
  }

  #thread(client: Client, thread: Thread | undefined): void {
    if (thread === undefined) return this.#mix(-1);
    this.#mix(OPERATIONS.indexOf(thread.operation) + 16 * STEPS.indexOf(thread.step) + 64 * thread.renewals);
    this.#mix(flags(thread.sent.length > 0, thread.entry === "listed"));
    // The others recognise their work by the acquisition.
    const goesByWrites =
      thread.operation !== "acquire" && thread.operation !== "release" && thread.operation !== "cancel";
    if (goesByWrites) for (const write of thread.sent) this.#name(write);
    for (const index of thread.passing.tried) this.#mix(this.#place[index] ?? NOTHING);
    if (thread.passing.tried.length > 0) this.#mix(this.#place[thread.passing.to ?? NOTHING] ?? NOTHING);
    if (thread.operation === "force" || thread.operation === "delete") {
      for (const id of thread.meant ?? []) this.#acquisition(numberOfAcquisition(id));
    }
    if (thread.step === "read") this.#snapshot(client, thread.base);
    if (thread.step === "writing") this.#name(thread.write);
  }

  #snapshot(client: Client, snapshot: Snapshot | undefined): void {
    if (snapshot === undefined) return this.#mix(-2);
    this.#version(snapshot.version);
    for (const { sentAtMs, isUnresolved } of client.writeLog.sent) {
      if (isUnresolved) this.#mix(flags(sentAtMs < snapshot.askedAtMs));
    }
  }

  #attempt(client: Client, sent: SentWrite): void {
    this.#name(numberOfWrite(sent.writeId));
    this.#mix(flags(sent.isUnresolved));
    if (sent.isUnresolved) this.#condition(client, conditionOf(sent));
    const isCounted = isReadingNeeded(this.#world, client, sent.writeId);
    if (isCounted && sent.reading !== undefined) this.#reading(client, sent.reading);
    const writing = client.main?.step === "writing" ? client.main.write : client.side?.write;
    const own = client.writeLog.sent.find((one) => numberOfWrite(one.writeId) === writing);
    if (own !== undefined) this.#mix(flags(sent.sentAtMs < own.sentAtMs));
  }

  /** Mixes in a condition: all versions that are gone for good are alike, but for an answer under way that still shows one. */
  #condition({ main, side }: Client, condition: number): void {
    const isAwaited = (thread: Thread | undefined) =>
      thread?.step === "read" && etagOf(thread.base?.version) === condition;
    const isGone = condition > 0 && condition !== etagOf(this.#world.object) && !isAwaited(main) && !isAwaited(side);
    if (isGone) this.#mix(NOTHING);
    else this.#name(condition);
  }

  #reading(client: Client, reading: { readonly monotonicMs: number; readonly wallMs: number }): void {
    this.#time(reading.wallMs, this.#config.leaseMs);
    this.#time(reading.monotonicMs + client.lagMs, this.#config.leaseMs);
  }

  #ghost({ ghost, budget, object }: World): void {
    this.#mix(budget.seconds);
    this.#version(object);
    this.#time(ghost.lastToken, this.#longAgo.token);
    if (this.#config.entryLifeMs !== undefined) this.#time(ghost.freedTick * TICK_MS, this.#longAgo.queue);
    const { lost, twice, refused, crash, giveUp, pause, clock, close } = budget;
    this.#mix(lost + 4 * twice + 16 * refused + 64 * crash + 256 * giveUp + 1024 * pause);
    this.#mix(budget.force + 4 * budget.delete + 16 * budget.cleanup + 64 * budget.slow + 256 * clock + 1024 * close);
  }

  #requests(requests: readonly Request[], client: number): void {
    for (const request of requests) {
      if (request.client !== client) continue;
      this.#mix((this.#place[request.client] as number) * 32 + OPERATIONS.indexOf(request.operation));
      this.#mix(flags(request.applied, request.version === undefined));
      this.#name(request.write);
      this.#condition(clientAt(this.#world, client), request.condition);
      if (this.#config.removal !== undefined) this.#time(request.sentTick * TICK_MS, this.#longAgo.rest);
      if (request.applied || canStillLand(this.#world, this.#config, request)) this.#version(request.version);
    }
  }

  /** Sorts interchangeable clients, in an order that does not depend on who is who. */
  #sorted(world: World): readonly number[] {
    const signatures = world.clients.map((client, index) => this.#signature(world, client, index));
    const order = [...world.clients.keys()];
    return order.sort((one, other) => (signatures[one] as number) - (signatures[other] as number) || one - other);
  }

  #signature(world: World, client: Client, index: number): number {
    const { clients } = this.#config;
    // Only those with the same plan are interchangeable.
    const group = clients.indexOf(clients[index] as ClientPlan);
    let signature = group * 32 + PHASES.indexOf(client.phase) * 4 + client.acquisitions;
    for (const thread of [client.main, client.side]) {
      signature =
        signature * 64 +
        (thread === undefined ? 0 : 1 + OPERATIONS.indexOf(thread.operation) * 4 + STEPS.indexOf(thread.step));
    }
    const entries = world.object?.entries.filter((entry) => clientOf(entry) === index).length ?? 0;
    const requests = world.requests.filter((request) => request.client === index);
    const { stopped, acquisition, holding, forcedOut, isClosing, clock } = client;
    const detail =
      flags(stopped, acquisition.mayBePresent, holding !== undefined, entries > 0, forcedOut, isClosing) + 64 * clock;
    return (signature * 256 + detail) * 8 + requests.length * 2 + (requests[0]?.applied ? 1 : 0);
  }
}

const NOTHING = -2;
const PHASES = ["idle", "asking", "waiting", "confirming", "holding", "ending", "left", "dead"];
const OPERATIONS = ["acquire", "confirm", "renew", "release", "cancel", "force", "delete", "cleanup", "poll"];
const STEPS = ["reading", "read", "writing"];

function flags(...bits: readonly boolean[]): number {
  return bits.reduce((sum, bit, at) => sum + (bit ? 1 << at : 0), 0);
}

/** Mixes by one round of MurmurHash3. */
function mixed(hash: number, value: number, one: number, other: number): number {
  const first = Math.imul(value, one);
  const part = Math.imul((first << 15) | (first >>> 17), other) ^ hash;
  return (Math.imul((part << 13) | (part >>> 19), 5) + 0xe6546b64) | 0;
}
