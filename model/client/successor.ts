import { type Client, clientAt, edit, type Thread } from "../state.js";
import { type Actor, planOf } from "./actor.js";

/** In the list of those that a release was tried with: nobody, a plain release. */
export const NOBODY = -1;

/** `LocalLine.giveBack`: whom it was tried with first stays the one as long as it waits. */
export function withSuccessor(actor: Actor, thread: Thread): Thread {
  const { world, config, index } = actor;
  const { process } = planOf(actor);
  if (process === undefined) return thread;
  const waits = (other: number) => isWaitingHere(clientAt(world, other));
  const last = thread.tried.at(-1);
  if (last !== undefined && last !== NOBODY && waits(last)) return thread;
  const [next] = [...config.clients.keys()]
    .filter((other) => other !== index && config.clients[other]?.process === process && waits(other))
    .sort((one, other) => (config.clients[other]?.priority ?? 0) - (config.clients[one]?.priority ?? 0));
  const others = thread.tried.filter((other) => other !== next && other !== NOBODY);
  if (next === undefined) return thread.tried.length === 0 ? thread : { ...thread, tried: [...others, NOBODY] };
  return { ...thread, tried: [...others, next] };
}

/** To whom a release passes the lock on; undefined: to nobody. */
export function successorOf({ tried }: Thread): number | undefined {
  const last = tried.at(-1);
  return last === NOBODY ? undefined : last;
}

/** The clients that a release was tried with; to be changed. */
export function partnersOf({ world }: Actor, tried: readonly number[]): readonly Client[] {
  return tried.filter((index) => index !== NOBODY).map((index) => edit(world, index));
}

/** `Acquisition.isWaiting`. */
function isWaitingHere(client: Client): boolean {
  return (client.phase === "asking" || client.phase === "waiting") && !client.stopped && client.handed === undefined;
}
