import { EventLoopTurns } from "./event-loop-turns.js";
import type { World } from "./world.js";

/** How the test's wait for something ended: it came, its time was up, or nothing is left that could bring it about. */
export type Ending = "reached" | "limit" | "quiet";

/** Until when time may move, and for what. */
export interface Goal {
  readonly endMs: number;
  /** Whether it is over before its time. */
  readonly isReached: () => boolean;
  /** Its end is what was wanted, and not a limit. */
  readonly isForTime: boolean;
}

/** What moves the time of a test. */
export interface Driver {
  /** When the next thing happens that is known of. */
  readonly nextAtMs: number | undefined;
  until(goal: Goal): Promise<Ending>;
}

interface Waiting extends Goal {
  readonly finish: (ending: Ending) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Moves a world from one thing to the next. There is one loop, however many want time to move: a function that a test waits for
 * may ask for it as well. What needs no time goes on unasked.
 */
export class WorldDriver implements Driver {
  readonly #world: World;
  readonly #goals = new Set<Waiting>();
  #isDriving = false;
  #stepsAtOnce = 0;

  constructor(world: World) {
    this.#world = world;
    world.onDue = () => void this.#drive();
  }

  get nextAtMs(): number | undefined {
    return this.#world.nextAtMs;
  }

  until(goal: Goal): Promise<Ending> {
    return new Promise((finish, fail) => {
      this.#goals.add({ ...goal, finish, fail });
      void this.#drive();
    });
  }

  async #drive(): Promise<void> {
    if (this.#isDriving) return;
    this.#isDriving = true;
    const turns = new EventLoopTurns();
    try {
      do await turns.next();
      while (this.#goOn());
    } catch (error) {
      const goals = [...this.#goals];
      this.#goals.clear();
      if (goals.length === 0) throw error;
      for (const { fail } of goals) fail(error);
    } finally {
      turns.close();
      this.#isDriving = false;
    }
  }

  /** Lets one thing happen, or ends the wait for one; what follows from it goes on before anything else does. */
  #goOn(): boolean {
    const goals = [...this.#goals];
    const reached = goals.filter((goal) => goal.isReached());
    if (reached.length > 0) return this.#finish(reached, "reached");
    const { nextAtMs, nowMs } = this.#world;
    if (nextAtMs !== undefined && nextAtMs <= nowMs) return this.#step(nextAtMs);
    if (goals.length === 0) return false;
    const endMs = Math.min(...goals.map((goal) => goal.endMs));
    if (nextAtMs !== undefined && nextAtMs <= endMs) return this.#step(nextAtMs);
    // Functions that only want time to pass may do something then.
    if (nextAtMs === undefined && !goals.some(({ isForTime }) => isForTime)) return this.#finish(goals, "quiet");
    this.#world.moveTo(endMs);
    return this.#finish(
      goals.filter((goal) => goal.endMs <= endMs),
      "limit",
    );
  }

  #step(atMs: number): true {
    this.#stepsAtOnce = atMs > this.#world.nowMs ? 0 : this.#stepsAtOnce + 1;
    if (this.#stepsAtOnce > STEPS_AT_ONCE_MAX) {
      this.#stepsAtOnce = 0;
      const message = `The clock cannot move on: ${STEPS_AT_ONCE_MAX} things have happened at one moment, and more are due. Look for a loop that waits for 0 ms.`;
      throw new Error(message);
    }
    this.#world.step();
    return true;
  }

  #finish(goals: readonly Waiting[], ending: Ending): true {
    for (const goal of goals) {
      this.#goals.delete(goal);
      goal.finish(ending);
    }
    return true;
  }
}

/** Far more than any test has; what is due again and again without any time passing would never end. */
const STEPS_AT_ONCE_MAX = 20_000;
