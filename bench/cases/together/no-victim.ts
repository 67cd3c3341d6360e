import { S3Mutex, S3MutexError } from "../../../src/index.js";
import { SimProcess } from "../../../src/testing/virtual/process.js";
import type { Random } from "../../../src/testing/virtual/random.js";
import { SimBucket } from "../../../src/testing/virtual/store.js";
import { World } from "../../../src/testing/virtual/world.js";
import type { BenchCase } from "../../case.js";
import { BUCKET_NAME } from "../../contestants/library.js";
import { atMost, exactly, figure } from "../../figures.js";

const SCHEDULES = 1000;
const QUICK_SCHEDULES = 100;
/** Virtual time, far more than any schedule needs. */
const LIMIT_MS = 3_600_000;

interface Outcome {
  grants: number;
  victims: number;
  timeOuts: number;
  unfinished: number;
}

/** Virtual time: a thousand schedules with holds of seconds would take hours on a real clock. */
export const noVictim: BenchCase = {
  name: "no-victim",
  issue: 3,
  title: "Random schedules of nested locks without a cycle, in virtual time",
  async run(bench) {
    const detects = await detectsDeadlocks();
    const schedules = bench.quick ? QUICK_SCHEDULES : SCHEDULES;
    const random = bench.random("schedules");
    const total: Outcome = { grants: 0, victims: 0, timeOuts: 0, unfinished: 0 };
    for (let index = 0; index < schedules; index += 1) {
      const outcome = await runSchedule(random.integer(1, 2 ** 31));
      for (const key of Object.keys(total) as (keyof Outcome)[]) total[key] += outcome[key];
    }
    return [
      figure({
        name: "schedules",
        unit: "",
        measured: schedules,
        ...(bench.quick ? {} : { target: exactly(SCHEDULES) }),
      }),
      figure({
        name: "victims",
        unit: "",
        // Without a search for deadlocks there is no victim: that is not a merit.
        measured: detects ? total.victims : [],
        target: atMost(0),
        note: detects ? locksTaken(total) : "a real deadlock is not detected either",
      }),
      figure({ name: "schedules that did not end", unit: "", measured: total.unfinished, target: atMost(0) }),
    ];
  },
};

function locksTaken({ grants, timeOuts }: Outcome): string {
  return `${grants} grants of up to three nested locks, ${timeOuts} time-outs by choice of the schedule`;
}

/** Runs the control, X then Y beside Y then X, and says whether there was a victim. */
async function detectsDeadlocks(): Promise<boolean> {
  const world = new World(1);
  const bucket = new SimBucket(world, { roundTripMs: () => 20 });
  let victims = 0;
  const take = async (mutex: S3Mutex, first: string, second: string) => {
    const inner = () => world.sleep(1000).then(() => mutex.withLock(second, () => {}, { timeoutMs: 60_000 }));
    await mutex.withLock(first, inner).catch((error: unknown) => {
      if (!S3MutexError.is(error, "deadlock")) throw error;
      victims += 1;
    });
  };
  const [one, other] = [simMutex(world, bucket, "one"), simMutex(world, bucket, "other")];
  await world.until(Promise.all([take(one, "x", "y"), take(other, "y", "x")]));
  return victims > 0;
}

function simMutex(world: World, bucket: SimBucket, name: string): S3Mutex {
  const process = new SimProcess(world, name);
  // Simulation replaces the store, so that this client is never asked.
  const s3Client = { send: () => Promise.reject(new Error("no network")) } as never;
  const internals = { store: bucket.storeFor(process), effects: process.effects };
  return new S3Mutex({ s3Client, bucketName: BUCKET_NAME }, internals);
}

/** Lets all take locks in one order, then all in another: what the first part leaves behind must not look like a cycle. */
async function runSchedule(seed: number): Promise<Outcome> {
  const world = new World(seed);
  const random = world.random.fork();
  const bucket = new SimBucket(world, { roundTripMs: () => random.between(5, 60) });
  const locks = Array.from({ length: random.integer(3, 5) }, (_, index) => `lock-${index}`);
  const outcome: Outcome = { grants: 0, victims: 0, timeOuts: 0, unfinished: 1 };
  const clients = Array.from({ length: random.integer(3, 5) }, (_, index) => {
    return { mutex: simMutex(world, bucket, `client-${index}`), random: random.fork() };
  });
  const work = async () => {
    for (let part = 0; part < 2; part += 1) {
      const ordered = shuffled(locks, random);
      await Promise.all(clients.map((client) => takeNested({ ...client, world, ordered, outcome })));
    }
    outcome.unfinished = 0;
  };
  let failure: unknown;
  work().catch((error: unknown) => {
    failure = error;
  });
  await world.run(LIMIT_MS, () => outcome.unfinished === 0 || failure !== undefined);
  if (failure !== undefined) throw failure;
  return outcome;
}

interface Client {
  readonly mutex: S3Mutex;
  readonly random: Random;
  readonly world: World;
  readonly ordered: readonly string[];
  readonly outcome: Outcome;
}

async function takeNested(client: Client): Promise<void> {
  const { mutex, random, world, ordered, outcome } = client;
  for (let turn = random.integer(1, 3); turn > 0; turn -= 1) {
    const chosen = ordered.filter(() => random.chance(0.6)).slice(0, 3);
    const options = {
      priority: random.integer(0, 3),
      timeoutMs: random.chance(0.2) ? random.between(200, 3000) : 600_000,
    };
    const nest = async ([first, ...rest]: readonly string[]): Promise<void> => {
      if (first === undefined) return world.sleep(random.between(5, 3000));
      const had = await mutex.withLock(first, async () => nest(rest).then(() => true), options);
      if (had) outcome.grants += 1;
      else outcome.timeOuts += 1;
    };
    try {
      await nest(chosen);
    } catch (error) {
      if (!S3MutexError.is(error, "deadlock")) throw error;
      outcome.victims += 1;
    }
    await world.sleep(random.between(1, 300));
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, at: random.number() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
