import { checkBucketName, checkFiniteDuration, checkOptions } from "../../arguments/checks.js";
import { invalidArgument } from "../../arguments/invalid-argument.js";
import type { OptionNames } from "../../arguments/option-names.js";
import { StoreMutex } from "../../mutex.js";
import type { S3MutexBaseOptions, S3MutexOptions } from "../../options/s3-options.js";
import { MUTEX_OPTIONS } from "../../options/settings.js";
import { TestClock } from "./clock.js";
import { type Driver, WorldDriver } from "./driver.js";
import { type FakeTimers, FakeTimersDriver, GlobalTimeline } from "./fake-timers.js";
import type { Fate } from "./fate.js";
import { SimProcess } from "./process.js";
import { dateOf, type Heard, SimBucket, type Told } from "./store.js";
import { fateBy, S3_OPERATION, TestFaults } from "./test-faults.js";
import { TestProcess } from "./test-process.js";
import { type TestRequest, TestStore } from "./test-store.js";
import type { Timeline } from "./timeline.js";
import { World } from "./world.js";

/**
 * Options of {@link createTestMutex}: those of {@link S3Mutex}, none of which has to be given, and the test's own. There is no client,
 * and nothing to `verify`.
 */
export interface TestMutexOptions extends Partial<S3MutexBaseOptions> {
  /** Not used: there is no client. Allowed so that the options of the code under test can be passed as they are. */
  readonly s3Client?: S3MutexOptions["s3Client"];
  /** Not used either. */
  readonly s3ClientConfig?: S3MutexOptions["s3ClientConfig"];
  /** What ids and all randomness are drawn from: the same seed gives the same run. @default 1 */
  readonly seed?: number | undefined;
  /**
   * How long a request takes there and back, in milliseconds of the clock. With more than zero a call that asks the store takes
   * time, which has to be let pass: `clock.runUntil(mutex.acquire("job"))`. @default 0
   */
  readonly roundTripMs?: number | undefined;
  /**
   * Lets the mutexes live by the fake timers that the test has put in place, for code that has timers of its own besides: `vi`,
   * `jest`, sinon's clock, or `mock.timers` of `node:test`. A test that moves them moves its clock, and the other way round.
   * @default a clock of its own, which needs no fake timers and takes no notice of them
   */
  readonly fakeTimers?: FakeTimers | undefined;
}

/** Options of {@link TestMutex.another}: those of {@link S3Mutex} that are to differ from the first one's. */
export type AnotherOptions = Partial<S3MutexBaseOptions>;

/** What {@link createTestMutex} gives. */
export interface TestMutex {
  /** That of the first process. */
  readonly mutex: StoreMutex;
  /** The first process. */
  readonly process: TestProcess;
  readonly clock: TestClock;
  readonly store: TestStore;
  /**
   * Starts another process on the same store and the same clock. It has the options of the first, but for its `ownerId`, and
   * those that are given.
   */
  readonly another: (options?: AnotherOptions) => TestProcess;
}

const TEST_MUTEX_OPTIONS: OptionNames<TestMutexOptions> = {
  seed: true,
  roundTripMs: true,
  fakeTimers: true,
  ...MUTEX_OPTIONS,
};

/** By the store of the test, whatever the options say of a client. */
const BY_THE_TEST = {
  bucketOf: ({ bucketName }: S3MutexOptions) => checkBucketName("bucketName", bucketName),
  reach: () => {
    throw new Error("a test has its store already");
  },
};

/** Sets up one bucket and one process on a timeline; more processes come with `another()`. */
export function setUp(options: TestMutexOptions): TestMutex {
  if (typeof options !== "object" || options === null)
    throw invalidArgument("options", options, "pass the options of S3Mutex, or none");
  const checked = checkOptions("options", options, TEST_MUTEX_OPTIONS);
  const { seed = 1, roundTripMs = 0, fakeTimers, s3Client: _client, s3ClientConfig: _config, ...given } = checked;
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
    const mutex = new StoreMutex({ ...own, verify: "never", s3ClientConfig: {} }, internals, BY_THE_TEST);
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

/** Decides whose time it is: that of the test alone, or that of its fake timers. */
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

/** Says what may keep a process from doing what a test waits for. */
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
