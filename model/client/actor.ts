import { NOT_PASSED } from "../../src/core/client/passing.js";
import { baseOf, begunSwap } from "../../src/core/client/swap.js";
import type { ClockReading, StoreTime } from "../../src/core/store-time.js";
import { type Clock, storeTimeOf } from "../clocks.js";
import type { ClientPlan, Configuration } from "../configuration.js";
import { acquisitionId, type Client, edit, type Operation, type Thread, TICK_MS, type World } from "../state.js";
import type { Subject } from "../subject.js";

/**
 * The files of this folder are what `src/runtime` does between two answers, around the real decisions and the real
 * `WriteLog`: whatever runs there without awaiting anything is one step here. Each function names the one that it mirrors.
 * All of them change the copy of a world that they are given, see `fork` and `edit`.
 */

export interface Scene {
  readonly config: Configuration;
  readonly subject: Subject;
}

/** One client in a copy of the world. */
export interface Actor extends Scene {
  readonly world: World;
  readonly index: number;
  readonly client: Client;
}

/** `main`: acquiring, confirming, renewing, which a signal aborts; `side`: releasing, cancelling, which none does. */
export type Slot = "main" | "side";

/** Makes an actor of a client that may be changed. */
export function actorIn({ config, subject }: Scene, world: World, index: number): Actor {
  return { config, subject, world, index, client: edit(world, index) };
}

export function planOf({ config, index }: Pick<Actor, "config" | "index">): ClientPlan {
  return config.clients[index] as ClientPlan;
}

/** Lists all callers of its process, with itself. */
export function callersBeside({ config, index }: Pick<Actor, "config" | "index">): readonly number[] {
  const { process } = planOf({ config, index });
  const isBeside = (other: number) =>
    other === index || (process !== undefined && config.clients[other]?.process === process);
  return [...config.clients.keys()].filter(isBeside);
}

export function idOf({ client, index }: Pick<Actor, "client" | "index">): string {
  return acquisitionId(index, client.acquisitions - 1);
}

export function clocksOf(world: World, client: Client): ClockReading {
  const wallMs = world.now * TICK_MS;
  return { monotonicMs: wallMs - client.lagMs, wallMs };
}

/** Tells store time now, as this client knows it. */
export function storeTime(actor: Actor): StoreTime {
  const { client, subject, world } = actor;
  return storeTimeOf(subject, planOf(actor).clocks[client.clock] as Clock, world, client);
}

export function nextSequence(world: World): number {
  world.sequence += 1;
  return world.sequence;
}

export function threadIn(client: Client, slot: Slot): Thread {
  return client[slot] as Thread;
}

/** Takes the first turn of `LockObject.swap`: it reads, unless there is a version from before and store time is known. */
export function start({ client }: Actor, slot: Slot, operation: Operation, details: Partial<Thread> = {}): void {
  const state = begunSwap(client.latest, operation === "acquire" ? { askedAtMs: client.lookedAt } : undefined);
  const mustRead = baseOf(state, () => client.disturbed) === undefined;
  const thread = { ...threadOf(operation), ...details };
  client[slot] = mustRead ? thread : { ...thread, ...state, step: "due" };
}

export function threadOf(operation: Operation): Thread {
  const nothing = {
    base: undefined,
    isFresh: false,
    write: 0,
    sent: [],
    meant: undefined,
    renewals: 0,
    passing: NOT_PASSED,
    entry: "none",
  } as const;
  return { operation, step: "reading", ...nothing };
}
