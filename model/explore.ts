import { problemOfState, type Violation } from "./checker.js";
import { beliefMs, believes, idleClient, type Scene } from "./client.js";
import type { Configuration } from "./configuration.js";
import { type Event, eventsIn } from "./events.js";
import { Fingerprint } from "./fingerprint.js";
import { FIRST_TICK, type World } from "./state.js";
import type { Subject } from "./subject.js";
import { Visited } from "./visited.js";

export interface Exploration {
  readonly configuration: Configuration;
  readonly states: number;
  readonly transitions: number;
  /** The longest path that was followed. */
  readonly depth: number;
  /** Why it ended: there was nothing new, paths of the greatest length, as many states as allowed, or a violation. */
  readonly end: "exhausted" | "depth" | "states" | "violation";
  readonly ms: number;
  readonly found: Found | undefined;
}

/** A violation, and the shortest way to it. */
export interface Found {
  readonly violation: Violation;
  readonly path: readonly number[];
}

export interface Limits {
  readonly depth: number;
  readonly states: number;
}

/** Breadth first, so that the first violation is one with a shortest trace. */
export function explore(configuration: Configuration, subject: Subject, limits: Limits): Exploration {
  return new Explorer({ config: configuration, subject }, limits).run();
}

class Explorer {
  readonly #scene: Scene;
  readonly #limits: Limits;
  readonly #visited = new Visited();
  readonly #fingerprint: Fingerprint;
  #transitions = 0;
  #next: World[] = [];
  #found: Found | undefined;

  constructor(scene: Scene, limits: Limits) {
    this.#scene = scene;
    this.#limits = limits;
    this.#fingerprint = new Fingerprint(scene);
  }

  run(): Exploration {
    const startedMs = performance.now();
    let level = [firstWorld(this.#scene.config)];
    this.#fingerprint.take(level[0] as World);
    this.#visited.add(this.#fingerprint.high, this.#fingerprint.low, 0, 0);
    let [first, depth] = [0, 0];
    while (level.length > 0 && depth < this.#limits.depth && !this.#isOver) {
      this.#next = [];
      for (let at = 0; at < level.length && !this.#isOver; at += 1) {
        this.#expand(level[at] as World, first + at);
        // What was expanded is not needed again: levels are large.
        level[at] = EXPANDED;
      }
      first += level.length;
      level = this.#next;
      depth += 1;
    }
    const { size: states } = this.#visited;
    const end = this.#found ? "violation" : this.#isOver ? "states" : level.length > 0 ? "depth" : "exhausted";
    const ms = performance.now() - startedMs;
    const { config: configuration } = this.#scene;
    return { configuration, states, transitions: this.#transitions, depth, end, ms, found: this.#found };
  }

  get #isOver(): boolean {
    return this.#found !== undefined || this.#visited.size >= this.#limits.states;
  }

  #expand(world: World, state: number): void {
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
  };
}

const EXPANDED = firstWorld({ clients: [], budget: {} } as unknown as Configuration);

/** Goes one path again, event by event. */
export function replay(
  scene: Scene,
  path: readonly number[],
): readonly { readonly world: World; readonly event: Event }[] {
  const steps: { readonly world: World; readonly event: Event }[] = [];
  let world = firstWorld(scene.config);
  for (const ordinal of path) {
    let at = 0;
    let taken: { readonly world: World; readonly event: Event } | undefined;
    eventsIn(scene, world, (next, event) => {
      if (at === ordinal) taken = { world: next, event };
      at += 1;
    });
    if (taken === undefined) throw new Error(`There is no event ${ordinal} in step ${steps.length + 1} of this path.`);
    steps.push(taken);
    ({ world } = taken);
  }
  return steps;
}
