import { checkFiniteDuration, invalidArgument } from "../../arguments.js";
import { S3Mutex } from "../../mutex.js";
import type { S3MutexBaseOptions } from "../../options.js";
import { TestClock } from "./clock.js";
import type { AnotherOptions, TestMutex, TestMutexOptions } from "./create-test-mutex.js";
import { SimProcess } from "./process.js";
import { SimBucket } from "./store.js";
import { TestProcess } from "./test-process.js";
import { TestStore } from "./test-store.js";
import { World } from "./world.js";

/** A world with one bucket and one process; more come with `another()`. */
export function setUp(options: TestMutexOptions): TestMutex {
  if (typeof options !== "object" || options === null)
    throw invalidArgument("options", options, "pass the options of S3Mutex, or none");
  const { seed = 1, roundTripMs = 0, s3Client: _client, s3ClientConfig: _config, ...shared } = options;
  const world = new World(checkSeed(seed));
  const bucket: SimBucket = new SimBucket(world, { roundTripMs: () => store.roundTripMs });
  const store = new TestStore(bucket);
  store.roundTripMs = checkFiniteDuration("roundTripMs", roundTripMs);
  const processes: TestProcess[] = [];
  const start = (own: Partial<S3MutexBaseOptions>): TestProcess => {
    const process = new SimProcess(world, `process-${processes.length + 1}`);
    // This store honours conditions, and there is nothing in it that a test has not put there.
    const settings = { bucketName: "bucket", verify: "never" as const, ...own, s3ClientConfig: {} };
    const mutex = new S3Mutex(settings, { store: bucket.storeFor(process), effects: process.effects });
    const started = new TestProcess(process, mutex);
    processes.push(started);
    return started;
  };
  const clock = new TestClock(world, () => processes.flatMap(hintsOf));
  const first = start(shared);
  const { ownerId: _ownerId, ...inherited } = shared;
  const another = (own: AnotherOptions = {}) => start({ ...inherited, ...own });
  return { mutex: first.mutex, process: first, clock, store, another };
}

/** What may keep a process from doing what a test waits for. */
function hintsOf({ name, isFrozen, isDead }: TestProcess): string[] {
  if (isDead) return [`${name} was killed.`];
  return isFrozen ? [`${name} is frozen: thaw() it.`] : [];
}

function checkSeed(seed: unknown): number {
  if (Number.isSafeInteger(seed) && (seed as number) >= 0) return seed as number;
  throw invalidArgument("seed", seed, "use a whole number, zero or more");
}
