import type { Random } from "../src/testing/virtual/random.js";
import { SimClient } from "./client.js";
import { closingBoundMs, closingOf } from "./closing.js";
import type { Participant } from "./scene.js";
import type { Stage } from "./stage.js";

/**
 * The end of a run, when the store answers: all tasks give up in the middle of something and leaves nothing; then all are busy
 * once more, and are closed one after the other in the middle of that.
 */
export class ClosingTime {
  readonly #stage: Stage;
  readonly #participants: readonly Participant[];
  readonly #clients: readonly SimClient[];
  readonly #random: Random;

  constructor(stage: Stage, participants: readonly Participant[], random: Random) {
    this.#stage = stage;
    this.#participants = participants;
    this.#clients = participants.filter((one) => one instanceof SimClient);
    this.#random = random;
  }

  async close(): Promise<void> {
    const { plan, world } = this.#stage;
    await this.#until("liveness", Promise.all(this.#clients.map((client) => client.giveUp())), PATIENCE_MS);
    await world.run(Math.max(CLEARING_MS, CLEARING_TRIPS * plan.roundTripMs[1]));
    const { leftovers } = this.#stage.scene;
    const left = leftovers.quiet(this.#clients.map(({ name }) => name));
    if (left.length > 0) {
      await world.run(TURNED_AWAY_MS);
      leftovers.stillQuiet(left);
    }
    const rushes = plan.closesBusy ? this.#clients.map((client) => client.rush()) : [];
    const closings = this.#participants.map((one) => this.#closeSoon(one));
    await this.#until("close", Promise.all(closings), PATIENCE_MS);
    await this.#until("liveness", Promise.all(rushes), PATIENCE_MS);
  }

  async #closeSoon(one: Participant): Promise<void> {
    const { findings, plan, world } = this.#stage;
    if (plan.closesBusy) await world.sleep(this.#random.between(0, BUSY_MS));
    const closing = closingOf(this.#random);
    const boundMs = closingBoundMs(closing);
    const startedAtMs = world.nowMs;
    await one.close(closing);
    const tookMs = world.nowMs - startedAtMs;
    if (tookMs > boundMs)
      findings.report("close", `${one.name} took ${Math.round(tookMs)} ms, with ${JSON.stringify(closing)}`);
  }

  async #until(property: string, promise: Promise<unknown>, limitMs: number): Promise<void> {
    const { findings, world } = this.#stage;
    await world.until(promise, limitMs).catch((error: Error) => findings.report(property, error.message));
  }
}

const PATIENCE_MS = 60_000;
/** What a process needs to clear up after what was given up. */
const CLEARING_MS = 2500;
/** Where all give up at once, each of them loses some races to the others, and steps back in between. */
const CLEARING_TRIPS = 12;
/** So much later at most something is tried again that a store asked for fewer requests has turned away. */
export const TURNED_AWAY_MS = 10_000;
/** For so long all tasks are busy before the last one is told to close. */
const BUSY_MS = 5000;
