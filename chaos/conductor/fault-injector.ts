import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/testing/virtual/random.js";
import { BAD_WEATHERS } from "../store/weather.js";
import type { EventLog } from "./event-log.js";
import type { Figures } from "./figures.js";
import type { Fleet, Worker } from "./fleet.js";
import type { Resource } from "./resource.js";
import type { StoreFaultInjector } from "./store.js";

export interface FaultInjectorSettings {
  readonly fleet: Fleet;
  readonly resource: Resource;
  /** Undefined: leave the store alone. */
  readonly store: StoreFaultInjector | undefined;
  readonly random: Random;
  readonly log: EventLog;
  readonly figures: Figures;
  /** From the last renewal of a holder that is dead until another worker may have its lock. */
  readonly takeoverMs: number;
  readonly leaseMs: number;
}

/** Between two things that happen: 0.7 s on average, so that there are enough of each in a short run. */
const GAP_MS = { min: 250, max: 1150 };
/** Shuffled and dealt, over and over: a run of ten seconds has a bit of everything, whatever the seed. */
const DECK = [
  "kill",
  "kill",
  "kill",
  "freeze",
  "freeze",
  "freeze",
  "weather",
  "weather",
  "weather",
  "restart",
] as const;
type Card = (typeof DECK)[number];
/** The part of victims that are picked among workers in a critical section, and how long is waited for one of them. */
const AIMED = 0.65;
const AIM_MS = 500;

/** What happens to the processes and to the store. The seed decides what comes when; who it hits depends on the moment. */
export class FaultInjector {
  readonly #settings: FaultInjectorSettings;
  #deck: Card[] = [];
  #restarting: Promise<void> = Promise.resolve();

  constructor(settings: FaultInjectorSettings) {
    this.#settings = settings;
  }

  /** Injects faults until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { random } = this.#settings;
    while (!signal.aborted) {
      await sleep(random.between(GAP_MS.min, GAP_MS.max), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.#act();
    }
  }

  /** Ends faults: the store is up, all workers are thawed. */
  async end(): Promise<void> {
    const { fleet, store, log } = this.#settings;
    fleet.thawAll();
    await this.#restarting;
    store?.setWeather("calm", 0);
    log.add("all faults off, all workers thawed");
  }

  async #act(): Promise<void> {
    const card = this.#draw();
    // Drawn whether needed or not, so that one decision more or less does not change all that follow.
    const choices = this.#settings.random.fork();
    if (card === "kill") await this.#kill(choices);
    else if (card === "freeze") await this.#freeze(choices);
    else if (card === "weather") this.#changeWeather(choices);
    else this.#restartStore(choices);
  }

  #draw(): Card {
    const { random, store } = this.#settings;
    if (this.#deck.length === 0) {
      this.#deck = DECK.filter((card) => store !== undefined || card === "kill" || card === "freeze");
    }
    const [card = "kill"] = this.#deck.splice(random.integer(0, this.#deck.length - 1), 1);
    return card;
  }

  async #kill(random: Random): Promise<void> {
    const { fleet, log, figures } = this.#settings;
    // Those that are frozen are mostly left to wake up: what they do then is what is worth seeing.
    const frozen = random.chance(0.15) ? fleet.in("frozen") : [];
    const candidates = this.#canSpareOne() ? [...fleet.in("working"), ...frozen] : [];
    const picked = await this.#pick(candidates, random);
    if (picked === undefined) return;
    const { worker, isInside } = picked;
    const what = `${worker.state === "frozen" ? "frozen " : ""}${worker.name}${isInside ? ", in a critical section" : ""}`;
    fleet.kill(worker);
    figures.count("kills");
    if (isInside) figures.count("kills inside");
    log.add(`SIGKILL ${what}`);
  }

  async #freeze(random: Random): Promise<void> {
    const { fleet, log, figures, takeoverMs, leaseMs } = this.#settings;
    const mayFreeze = this.#canSpareOne() && fleet.in("frozen").length < Math.floor(fleet.size / 2);
    // Mostly for longer than its lease lasts; the others must not lose anything by it that they were not to lose anyway.
    const isPastLease = random.chance(0.8);
    const extraMs = random.between(100, 1500);
    const forMs = Math.round(isPastLease ? takeoverMs + extraMs : random.between(0.1, 0.9) * leaseMs);
    const picked = await this.#pick(mayFreeze ? fleet.in("working") : [], random);
    if (picked === undefined) return;
    const { worker, isInside } = picked;
    fleet.freeze(worker, forMs, () => log.add(`SIGCONT ${worker.name}`));
    figures.count("freezes");
    if (isPastLease) figures.count("freezes past the lease");
    if (isInside) figures.count("freezes inside");
    log.add(`SIGSTOP ${worker.name} for ${forMs} ms${isInside ? ", in a critical section" : ""}`);
  }

  /** Says whether enough workers are left to take over: on a slow machine it takes a while until a killed one has its successor. */
  #canSpareOne(): boolean {
    const { fleet } = this.#settings;
    return fleet.in("working").length > Math.max(1, Math.floor(fleet.size / 3));
  }

  async #pick(
    candidates: readonly Worker[],
    random: Random,
  ): Promise<{ readonly worker: Worker; readonly isInside: boolean } | undefined> {
    const isAimed = random.chance(AIMED);
    const share = random.number();
    if (candidates.length === 0) return undefined;
    const candidatePids = candidates.map(({ child }) => child.pid);
    const pids = new Set(await this.#settings.resource.pidsInside(candidatePids, isAimed ? AIM_MS : 0));
    // While that was being asked, a worker may have been thawed or have ended.
    const alive = candidates.filter(({ state }) => state === "working" || state === "frozen");
    const inside = alive.filter(({ child }) => pids.has(child.pid));
    const eligible = isAimed && inside.length > 0 ? inside : alive;
    const worker = eligible[Math.floor(share * eligible.length)];
    return worker === undefined ? undefined : { worker, isInside: pids.has(worker.child.pid) };
  }

  #changeWeather(random: Random): void {
    const { store, log, figures } = this.#settings;
    const name = random.chance(0.35) ? "calm" : random.pick(BAD_WEATHERS);
    store?.setWeather(name, random.integer(0, 2 ** 32));
    figures.count(`weather ${name}`);
    log.add(`weather: ${name}`);
  }

  #restartStore(random: Random): void {
    const { store, log, figures, takeoverMs } = this.#settings;
    if (store === undefined || !store.isUp) return;
    // Now and then for so long that all workers lose what they hold.
    const downMs = Math.round(random.chance(0.8) ? random.between(0, 400) : random.between(0.5, 1.2) * takeoverMs);
    figures.count("restarts");
    log.add(`SIGKILL the store, for ${downMs} ms and what it takes to start`);
    this.#restarting = store.restart(downMs).then(
      () => log.add("the store is back"),
      (error) => log.add(`the store did not come back: ${String(error)}`),
    );
  }
}
