import { isWanting } from "../../src/core/client/acquisition.js";
import { type Client, clientAt, edit, type Thread } from "../state.js";
import { type Actor, planOf } from "./actor.js";

/** In the list of those that a release was tried with: none, a plain release. */
export const NO_ONE = -1;

/** `LocalQueue.giveBack`: whom it was tried with first stays the one as long as it waits. */
export function withSuccessor(actor: Actor, thread: Thread): Thread {
  const { world, config, index } = actor;
  const { process } = planOf(actor);
  if (process === undefined) return thread;
  const waits = (other: number) => isWanting(clientAt(world, other).acquisition);
  const last = thread.tried.at(-1);
  if (last !== undefined && last !== NO_ONE && waits(last)) return thread;
  const [next] = [...config.clients.keys()]
    .filter((other) => other !== index && config.clients[other]?.process === process && waits(other))
    .sort((one, other) => (config.clients[other]?.priority ?? 0) - (config.clients[one]?.priority ?? 0));
  const others = thread.tried.filter((other) => other !== next && other !== NO_ONE);
  if (next === undefined) return thread.tried.length === 0 ? thread : { ...thread, tried: [...others, NO_ONE] };
  return { ...thread, tried: [...others, next] };
}

/** To whom a release passes the lock on; undefined: to none. */
export function successorOf({ tried }: Thread): number | undefined {
  const last = tried.at(-1);
  return last === NO_ONE ? undefined : last;
}

/** The clients that a release was tried with; to be changed. */
export function partnersOf({ world }: Actor, tried: readonly number[]): readonly Client[] {
  return tried.filter((index) => index !== NO_ONE).map((index) => edit(world, index));
}
