import type { Random } from "../random.js";
import type { Step } from "../steps.js";
import type { Task } from "../task.js";
import { FENCED } from "./fenced.js";
import { MAINTENANCE } from "./maintenance.js";
import { MUTEX } from "./mutex.js";
import { NAMED } from "./named.js";
import { NESTED } from "./nested.js";
import { SHARING } from "./sharing.js";

/** One turn of a line of work: it does something that a user would do, through the public API. */
export interface Turn {
  readonly name: string;
  /** How often a client has it among its habits at all. */
  readonly chance: number;
  /** How often it does it then, compared with the others. */
  readonly weight: number;
  /** Steps of the protocol that need this turn: it is among the habits where a seed is about one of them. */
  readonly steps?: readonly Step[];
  readonly run: (task: Task, lock: string) => Promise<void>;
}

/** Everything that clients do. A new primitive adds a file of turns, and a line here. */
export const TURNS: readonly Turn[] = [...MUTEX, ...NAMED, ...NESTED, ...SHARING, ...FENCED, ...MAINTENANCE];

export function nextTurn(weights: Readonly<Record<string, number>>, random: Random): Turn {
  return random.weighted(TURNS.map((turn) => [turn, weights[turn.name] ?? 0] as const)) ?? (TURNS[0] as Turn);
}
