import { checkFiniteDuration, invalidArgument } from "../../arguments/checks.js";
import { type OptionNames, refuseUnknownOptions } from "../../arguments/option-names.js";
import { S3Mutex } from "../../mutex.js";
import { MUTEX_OPTIONS, type S3MutexBaseOptions } from "../../options/mutex-options.js";
import { TestClock } from "./clock.js";
import type { AnotherOptions, FakeTimers, TestMutex, TestMutexOptions } from "./create-test-mutex.js";
import { type Driver, WorldDriver } from "./driver.js";
import { FakeTimersDriver, GlobalTimeline } from "./fake-timers.js";
import type { Fate } from "./fate.js";
import { SimProcess } from "./process.js";
import { dateOf, type Heard, SimBucket, type Told } from "./store.js";
import { fateBy, S3_OPERATION, TestFaults } from "./test-faults.js";
import { TestProcess } from "./test-process.js";
import { type TestRequest, TestStore } from "./test-store.js";
import type { Timeline } from "./timeline.js";
import { World } from "./world.js";

const TEST_MUTEX_OPTIONS: OptionNames<TestMutexOptions> = {
  seed: true,
  roundTripMs: true,
  fakeTimers: true,
  ...MUTEX_OPTIONS,
};

/** One bucket and one process on a timeline; more processes come with `another()`. */
export function setUp(options: TestMutexOptions): TestMutex {
  if (typeof options !== "object" || options === null)
    throw invalidArgument("options", options, "pass the options of S3Mutex, or none");
  refuseUnknownOptions("options", options, TEST_MUTEX_OPTIONS);
  const { seed = 1, roundTripMs = 0, fakeTimers, s3Client: _client, s3ClientConfig: _config, ...given } = options;
  const shared = { bucketName: "bucket", ...given };
  const { timeline, driver } = timeOf(checkSeed(seed), fakeTimers);
  const [faults, requests] = [new TestFaults(), [] as TestRequest[]];
  const faultsOf = new Map<SimProcess, TestFaults>();
  const bucket: SimBucket = new SimBucket(timeline, {
    roundTripMs: () => store.roundTripMs,
    fate: (operation, key, process) => {
      const sent = { operation: S3_OPERATION[operation], bucket: shared.bucketName };
      requests.push({ operation: sent.operation, key, process: process.name, atMs: timeline.nowMs });
      const own = faultsOf.get(process);
      return fateBy(own === undefined ? [faults] : [faults, own], operation === "list" ? sent : { ...sent, key });
    },
    tell,
  });
  const store = new TestStore(bucket, faults, requests);
  store.roundTripMs = checkFiniteDuration("roundTripMs", roundTripMs);
  const processes: TestProcess[] = [];
  const start = (own: S3MutexBaseOptions): TestProcess => {
    const process = new SimProcess(timeline, `process-${processes.length + 1}`);
    const internals = { store: bucket.storeFor(process), effects: process.effects };
    // This store honours conditions: to examine it would only add requests that a test does not expect.
    const mutex = new S3Mutex({ ...own, verify: "never", s3ClientConfig: {} }, internals);
    const ownFaults = new TestFaults();
    faultsOf.set(process, ownFaults);
    const started = new TestProcess(process, mutex, ownFaults);
    processes.push(started);
    return started;
  };
  const hints = () => [...processes.flatMap(hintsOf), ...hintsAbout(faults, faultsOf)];
  const first = start(shared);
  const { ownerId: _ownerId, ...inherited } = shared;
  const another = (own: AnotherOptions = {}) => start({ ...inherited, ...own });
  return { mutex: first.mutex, process: first, clock: new TestClock(timeline, driver, hints), store, another };
}

/** Whose time it is: that of the test alone, or that of its fake timers. */
function timeOf(
  seed: number,
  timers: FakeTimers | undefined,
): { readonly timeline: Timeline; readonly driver: Driver } {
  if (timers === undefined) {
    const world = new World(seed);
    return { timeline: world, driver: new WorldDriver(world) };
  }
  const timeline = new GlobalTimeline(seed);
  return { timeline, driver: new FakeTimersDriver(timeline, timers) };
}

function tell({ writtenAtMs }: Heard, { omitsDate, dateShiftMs = 0 }: Fate): Told {
  return omitsDate ? {} : { dateMs: dateOf(writtenAtMs + dateShiftMs) };
}

/** What may keep a process from doing what a test waits for. */
function hintsOf({ name, isFrozen, isDead }: TestProcess): string[] {
  if (isDead) return [`${name} was killed.`];
  return isFrozen ? [`${name} is frozen: thaw() it.`] : [];
}

function hintsAbout(faults: TestFaults, faultsOf: ReadonlyMap<SimProcess, TestFaults>): string[] {
  const ofStore = faults.count === 0 ? [] : ["store.faults has rules: clear() ends them."];
  const cutOff = [...faultsOf].filter(([, own]) => own.count > 0);
  return [...ofStore, ...cutOff.map(([{ name }]) => `The faults of ${name} have rules: clear() ends them.`)];
}

function checkSeed(seed: unknown): number {
  if (Number.isSafeInteger(seed) && (seed as number) >= 0) return seed as number;
  throw invalidArgument("seed", seed, "use a whole number, zero or more");
}
