import { problemOfState, type Violation } from "./checker.js";
import type { Scene } from "./client/actor.js";
import { beliefMs, believes } from "./client/lease.js";
import type { Configuration } from "./configuration.js";
import { eventsIn } from "./events.js";
import { Fingerprint } from "./fingerprint.js";
import { FIRST_TICK, idleClient, type World } from "./state.js";
import type { Subject } from "./subject.js";
import { Visited } from "./visited.js";

export interface Exploration {
  readonly configuration: Configuration;
  readonly states: number;
  readonly transitions: number;
  /** All paths of this many events were followed. */
  readonly depth: number;
  /** Why it ended: nothing new was left within the bound, as many states as allowed, or a violation. */
  readonly end: "exhausted" | "states" | "violation";
  readonly ms: number;
  readonly found: Found | undefined;
}

/** A violation, and the shortest way to it. */
export interface Found {
  readonly violation: Violation;
  readonly path: readonly number[];
}

/** Explores breadth first, so that the first violation is one with a shortest trace. */
export function explore(config: Configuration, subject: Subject, maxStates: number): Exploration {
  return new Explorer({ config, subject }, maxStates).run();
}

class Explorer {
  readonly #scene: Scene;
  readonly #maxStates: number;
  readonly #visited = new Visited();
  readonly #fingerprint: Fingerprint;
  #transitions = 0;
  #next: World[] = [];
  #found: Found | undefined;

  constructor(scene: Scene, maxStates: number) {
    this.#scene = scene;
    this.#maxStates = maxStates;
    this.#fingerprint = new Fingerprint(scene);
  }

  run(): Exploration {
    const startedMs = performance.now();
    let level = [firstWorld(this.#scene.config)];
    this.#fingerprint.take(level[0] as World);
    this.#visited.add(this.#fingerprint.high, this.#fingerprint.low, 0, 0);
    let [first, depth] = [0, 0];
    for (; level.length > 0; depth += 1) {
      this.#next = [];
      for (let at = 0; at < level.length && !this.#isOver; at += 1) {
        this.#expand(level[at] as World, first + at);
        // What was expanded is not needed again: levels are large.
        level[at] = EXPANDED;
      }
      if (this.#isOver) break;
      first += level.length;
      level = this.#next;
    }
    const { size: states } = this.#visited;
    const end = this.#found ? "violation" : level.length > 0 ? "states" : "exhausted";
    const ms = performance.now() - startedMs;
    const { config: configuration } = this.#scene;
    return { configuration, states, transitions: this.#transitions, depth, end, ms, found: this.#found };
  }

  get #isOver(): boolean {
    return this.#found !== undefined || this.#visited.size >= this.#maxStates;
  }

  /** Follows each event. Where a transition throws, the trace ends with the state before: what it would have come to is not known. */
  #expand(world: World, state: number): void {
    try {
      this.#follow(world, state);
    } catch (error) {
      const violation = { invariant: "no transition fails", says: (error as Error).message } as const;
      this.#found = { violation, path: this.#visited.pathTo(state) };
    }
  }

  #follow(world: World, state: number): void {
    let ordinal = -1;
    eventsIn(this.#scene, world, (next, _, violation) => {
      ordinal += 1;
      this.#transitions += 1;
      if (this.#found !== undefined) return;
      if (violation !== undefined) return this.#report(violation, state, ordinal);
      this.#fingerprint.take(next);
      if (!this.#visited.add(this.#fingerprint.high, this.#fingerprint.low, state, ordinal)) return;
      const problem = problemOfState(next, this.#scene.config, beliefsIn(this.#scene, next));
      if (problem !== undefined) return this.#report(problem, state, ordinal);
      this.#next.push(next);
    });
  }

  #report(violation: Violation, state: number, ordinal: number): void {
    this.#found = { violation, path: [...this.#visited.pathTo(state), ordinal] };
  }
}

/** Says for how much longer each client believes that it holds, in milliseconds. */
export function beliefsIn(scene: Scene, world: World): readonly number[] {
  return world.clients.map((client) => (believes(scene, world, client) ? beliefMs(scene, world, client) : 0));
}

export function firstWorld(config: Configuration): World {
  return {
    now: FIRST_TICK,
    object: undefined,
    clients: config.clients.map(idleClient),
    requests: [],
    ghost: { lastToken: 0, freedTick: 0 },
    budget: config.budget,
    writes: 0,
    sequence: 0,
  };
}

const EXPANDED = firstWorld({ clients: [], budget: {} } as unknown as Configuration);
