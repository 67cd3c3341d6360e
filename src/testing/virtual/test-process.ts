import { checkFiniteDuration } from "../../arguments/checks.js";
import { invalidArgument } from "../../arguments/invalid-argument.js";
import { type OptionNames, refuseUnknownOptions } from "../../arguments/option-names.js";
import type { StoreMutex } from "../../mutex.js";
import type { Faults } from "../server/faults/faults.js";
import type { SimProcess } from "./process.js";

/** Options of {@link TestProcess.freeze}. */
export interface FreezeOptions {
  /** For how long, in milliseconds. @default until `thaw()` */
  readonly forMs?: number | undefined;
  /** Its monotonic clock stands still as well, as on a machine that is suspended. @default false */
  readonly suspends?: boolean | undefined;
}

const FREEZE_OPTIONS: OptionNames<FreezeOptions> = { forMs: true, suspends: true };

/** One of the processes of a test: a mutex with clocks and timers of its own, on the store and the clock that all share. */
export class TestProcess {
  readonly mutex: StoreMutex;
  /** What goes wrong with the requests of this process alone: `faults.add({ fault: "never-answer" })` cuts it off. */
  readonly faults: Faults;
  readonly #process: SimProcess;

  /** @internal */
  constructor(process: SimProcess, mutex: StoreMutex, faults: Faults) {
    this.#process = process;
    this.mutex = mutex;
    this.faults = faults;
  }

  /** What it calls its host, and what its `ownerId` starts with. */
  get name(): string {
    return this.#process.name;
  }

  get isFrozen(): boolean {
    return this.#process.isFrozen;
  }

  /**
   * Stops it as SIGSTOP does: none of its timers fires and no answer reaches it until it goes on, while time passes for all
   * others. What the test itself calls meanwhile is not stopped.
   */
  freeze(options: FreezeOptions = {}): void {
    refuseUnknownOptions("options", options, FREEZE_OPTIONS);
    const { forMs, suspends = false } = options;
    if (forMs !== undefined) checkFiniteDuration("forMs", forMs);
    this.#process.freeze(forMs, suspends);
  }

  /** Lets it go on, as SIGCONT does: what was due meanwhile comes now. */
  thaw(): void {
    this.#process.thaw();
  }

  /** Ends it as SIGKILL does: nothing of it ever goes on, and what it holds stays held until the lease is over. */
  kill(): void {
    this.#process.kill();
  }

  /** Whether it was killed. */
  get isDead(): boolean {
    return this.#process.isDead;
  }

  /** Sets its wall clock: how far it is off, in milliseconds, negative for behind. Its monotonic clock goes on. */
  setWallClock(offsetMs: number): void {
    if (typeof offsetMs !== "number" || !Number.isFinite(offsetMs))
      throw invalidArgument("offsetMs", offsetMs, "give milliseconds, negative for behind");
    this.#process.setWall(offsetMs);
  }
}
