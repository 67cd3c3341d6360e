import type { Effects } from "../../runtime/base/effects.js";
import type { Random } from "./random.js";
import type { Timeline } from "./timeline.js";

export interface ClockFaults {
  /** How far the wall clock is off, in milliseconds. */
  readonly wallOffsetMs: number;
  /** How much faster than true time both clocks run: 0.0001 is 100 ppm. */
  readonly drift: number;
  /** How much faster the wall clock runs than the monotonic one: it is being steered. */
  readonly wallDrift?: number;
}

export const GOOD_CLOCKS: ClockFaults = { wallOffsetMs: 0, drift: 0 };

interface Frozen {
  readonly stopsMonotonic: boolean;
  readonly sinceMs: number;
  /** What has to wait for its end. */
  readonly waiting: (() => void)[];
  /** It will not end by itself. */
  readonly forgetEnd: () => void;
}

/** One simulated operating-system process: clocks of its own, and a life that can be paused or ended. */
export class SimProcess {
  readonly name: string;
  readonly world: Timeline;
  readonly effects: Effects;
  readonly #bootedAtMs: number;
  readonly #startedAtMs: number;
  readonly #random: Random;
  #clocks: ClockFaults;
  #stoodStillMs = 0;
  #frozenMs = 0;
  #frozen: Frozen | undefined;
  #isDead = false;
  #ids = 0;

  constructor(world: Timeline, name: string, clocks: ClockFaults = GOOD_CLOCKS) {
    this.world = world;
    this.name = name;
    this.#clocks = clocks;
    this.#random = world.random.fork();
    this.#startedAtMs = world.nowMs;
    this.#bootedAtMs = world.nowMs - this.#random.between(0, 1e6);
    this.effects = {
      monotonicMs: () => this.#monotonicMs(),
      wallMs: () => this.#wallMs(),
      random: () => this.#random.number(),
      newId: () => this.#newId(),
      setTimer: (delayMs, callback) => this.#setTimer(delayMs, callback),
      host: name,
      pid: 1,
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  /** Lets something happen to the process: at once, when it wakes up, or never. */
  deliver(callback: () => void): void {
    if (this.#isDead) return;
    if (this.#frozen === undefined) callback();
    else this.#frozen.waiting.push(callback);
  }

  /** Sets a timer. Also one that was due while the process stood still can be cancelled by what runs first when it goes on. */
  #setTimer(delayMs: number, callback: () => void): () => void {
    let isCancelled = false;
    const fire = () => {
      if (!isCancelled) callback();
    };
    const cancel = this.world.after(this.#timerMs(delayMs), () => this.deliver(fire));
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  /** Kills the process as SIGKILL does: nothing of it ever goes on. */
  kill(): void {
    this.#isDead = true;
  }

  /**
   * Freezes the process as SIGSTOP does, until the time is over or {@link thaw}; with `stopsMonotonic` its monotonic clock stands still
   * meanwhile, as on a suspended machine.
   */
  freeze(forMs: number | undefined, stopsMonotonic: boolean): void {
    if (this.#frozen !== undefined || this.#isDead) return;
    const forgetEnd = forMs === undefined ? () => {} : this.world.after(forMs, () => this.thaw());
    this.#frozen = { stopsMonotonic, sinceMs: this.world.nowMs, waiting: [], forgetEnd };
  }

  /** For how long it has not stood still, in true milliseconds. */
  get awakeMs(): number {
    const nowMs = this.world.nowMs;
    return nowMs - this.#startedAtMs - this.#frozenMs - (this.#frozen === undefined ? 0 : nowMs - this.#frozen.sinceMs);
  }

  /** Sets the wall clock, by so much. */
  stepWall(byMs: number): void {
    this.setWall(this.#clocks.wallOffsetMs + byMs);
  }

  /** Sets the wall clock, to so much off. */
  setWall(offsetMs: number): void {
    this.#clocks = { ...this.#clocks, wallOffsetMs: offsetMs };
  }

  get clocks(): ClockFaults {
    return this.#clocks;
  }

  /** Lets the process go on, as SIGCONT does. */
  thaw(): void {
    const frozen = this.#frozen;
    if (frozen === undefined) return;
    frozen.forgetEnd();
    this.#frozenMs += this.world.nowMs - frozen.sinceMs;
    if (frozen.stopsMonotonic) this.#stoodStillMs += this.world.nowMs - frozen.sinceMs;
    this.#frozen = undefined;
    // Each wakes up in a turn of its own, as timers and sockets do.
    for (const callback of frozen.waiting) this.world.after(0, () => this.deliver(callback));
  }

  #monotonicMs(): number {
    const frozen = this.#frozen;
    const stillMs = frozen?.stopsMonotonic ? this.world.nowMs - frozen.sinceMs : 0;
    return (this.world.nowMs - this.#bootedAtMs - this.#stoodStillMs - stillMs) * (1 + this.#clocks.drift);
  }

  #wallMs(): number {
    const { wallOffsetMs, drift, wallDrift = 0 } = this.#clocks;
    const upMs = this.world.nowMs - this.#startedAtMs;
    return Math.floor(this.world.nowMs + wallOffsetMs + upMs * (drift + wallDrift));
  }

  /** Says how long a timer takes: as in Node, whole milliseconds, at least one. */
  #timerMs(delayMs: number): number {
    return Math.max(1, Math.trunc(delayMs)) / (1 + this.#clocks.drift);
  }

  #newId(): string {
    this.#ids += 1;
    return `${this.name}#${this.#ids}`;
  }
}
