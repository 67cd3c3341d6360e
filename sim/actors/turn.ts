import type { Step } from "../plan/steps.js";
import type { Task } from "../task.js";

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
