import { isWanting } from "../../src/core/client/acquisition.js";
import { passingOn } from "../../src/core/client/passing.js";
import { clientAt, type Thread } from "../state.js";
import { type Actor, callersBeside, planOf } from "./actor.js";

/** Follows `LocalQueue.giveBack`: the next write is made, for a caller of the same process where one waits. */
export function withSuccessor(actor: Actor, thread: Thread): Thread {
  const { world, config, index } = actor;
  const { process } = planOf(actor);
  if (process === undefined) return thread;
  const waits = (other: number) => isWanting(clientAt(world, other).acquisition);
  const priorityOf = (other: number) => config.clients[other]?.priority ?? 0;
  const nextInLine = () =>
    callersBeside(actor)
      .filter((other) => other !== index && waits(other))
      .sort((one, other) => priorityOf(other) - priorityOf(one))[0];
  return { ...thread, passing: passingOn(thread.passing, waits, nextInLine) };
}
