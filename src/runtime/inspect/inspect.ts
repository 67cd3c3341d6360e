import { keyOfPart } from "../../core/names.js";
import { type LockReport, reportOf, unreadableReport } from "../../core/report.js";
import { asOne, laterParts } from "../../core/shares.js";
import type { StoreTime } from "../../core/store-time.js";
import { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import { inParallel } from "../base/in-parallel.js";
import { hearRejection } from "../base/listeners.js";
import { LockObject } from "../swap/lock-object.js";
import { questionPolicy } from "../swap/policies.js";
import { RetryBudget } from "../swap/retry-budget.js";
import type { Snapshot } from "../swap/snapshot.js";
import { untilAnswered } from "../swap/until-answered.js";
import { pagesOfKeys, throwIfEnded } from "./list-keys.js";
import { Outage } from "./outage.js";

/** How far a listing has come. */
export interface ListProgress {
  /** Locks that were found so far. */
  readonly found: number;
  /** Those of them that were read. */
  readonly read: number;
  /** Whether there are no more to be found. */
  readonly isComplete: boolean;
}

/** Which locks to read, and whom to tell how far it is. */
export interface ListRun {
  /** What their keys start with. */
  readonly keyPrefix: string;
  /** The name of the lock under a key; undefined for keys that are not wanted. */
  readonly nameOf: (key: string) => string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: ListProgress) => void) | undefined;
}

/** Enough to hide a round trip, and not so much that holders and waiters notice. */
export const READS_AT_ONCE = 32;

/** Reports what a lock's object says; null when there is none. Errors of the store are thrown; what is not a record is reported. */
export async function inspectLock(context: Context, object: LockObject): Promise<LockReport | null> {
  return reportOfSnapshot(context, object, await readWhole(context, object, undefined)) ?? null;
}

/** Reports about all locks under a prefix, in the order of their keys; what cannot be read is reported as such. */
export async function* listLocks(context: Context, run: ListRun): AsyncGenerator<LockReport> {
  const progress = { found: 0, read: 0, isComplete: false };
  const tell = () => hearRejection(run.onProgress?.({ ...progress }), "onProgress", context.logger);
  const outage = new Outage(context.effects);
  const reading: Promise<LockReport | undefined>[] = [];
  const next = async () => {
    const report = await (reading.shift() as Promise<LockReport | undefined>);
    progress.read += 1;
    tell();
    return report;
  };
  for await (const page of pagesOfKeys(context, run.keyPrefix, run.signal)) {
    const objects = page.keys.flatMap((key) => {
      const name = run.nameOf(key);
      return name === undefined ? [] : [new LockObject(context, { name }, key)];
    });
    progress.found += objects.length;
    progress.isComplete = page.isLast;
    tell();
    for (const object of objects) {
      const started = reportAbout(context, object, run.signal, outage);
      // It is awaited in its turn; until then its failure must not count as unhandled.
      started.catch(() => {});
      reading.push(started);
      const report = reading.length < READS_AT_ONCE ? undefined : await next();
      if (report !== undefined) yield report;
    }
  }
  while (reading.length > 0) {
    const report = await next();
    if (report !== undefined) yield report;
  }
}

/** Reports about one of many, with all its records. */
function reportAbout(context: Context, object: LockObject, signal: AbortSignal | undefined, outage: Outage) {
  return reportAboutRecord(context, object, signal, outage, readWhole);
}

/** Reports the same about its one object: what is wrong with that says nothing about the others. */
export async function reportAboutRecord(
  context: Context,
  object: LockObject,
  signal: AbortSignal | undefined,
  outage: Outage,
  read = readAgain,
): Promise<LockReport | undefined> {
  try {
    const snapshot = await read(context, object, signal);
    outage.answered();
    return reportOfSnapshot(context, object, snapshot);
  } catch (error) {
    if (!S3MutexError.is(error) || !OF_ONE_OBJECT.has(error.code)) throw error;
    outage.failed(error);
    return unreadableReport(error, occasionOf(context, object, context.effects.monotonicMs()));
  }
}

/** Reports what was seen, as of when it was asked for, or of another moment; undefined where that is not a lock. */
export function reportOfSnapshot(
  context: Context,
  object: LockObject,
  { record, unreadable, askedAtMs }: Snapshot,
  atMs = askedAtMs,
): LockReport | undefined {
  const occasion = occasionOf(context, object, atMs);
  if (unreadable !== undefined) return unreadableReport(unreadable, occasion);
  return record === undefined || record.deleted ? undefined : reportOf(record, occasion);
}

function occasionOf(context: Context, { name: lockName, key }: LockObject, askedAtMs: number) {
  return { lockName, key, now: storeTime(context, askedAtMs), lacksStoreTime: context.clock.isDateless };
}

/** Tells store time for people: where nothing is known of the store's clock, the local one has to do. */
function storeTime({ clock, effects }: Context, askedAtMs: number): StoreTime {
  const wallMs = effects.wallMs();
  return clock.when(askedAtMs) ?? { earliestMs: wallMs, latestMs: wallMs };
}

/** An error of these is about the one object; others would meet all of them alike. */
const OF_ONE_OBJECT: ReadonlySet<string> = new Set(["access-denied", "store-unavailable"]);

/** Reads a semaphore as one, however many records it has: they are read at the same time, and what they say is put together. */
async function readWhole(context: Context, object: LockObject, signal: AbortSignal | undefined): Promise<Snapshot> {
  const anchor = await readAgain(context, object, signal);
  const keys = otherKeysOf(object.key, anchor);
  const parts = new Map<string, Snapshot>();
  await inParallel(keys, READS_AT_ONCE, async (key) => {
    parts.set(key, await readAgain(context, new LockObject(context, object.ref, key), signal));
  });
  return wholeOf(
    anchor,
    keys.map((key) => parts.get(key)),
  );
}

/** Lists the keys of the further records that a semaphore's first one speaks of. */
export function otherKeysOf(anchorKey: string, { record }: Snapshot): readonly string[] {
  return laterParts(record?.shares).map((part) => keyOfPart(anchorKey, part));
}

/** Puts together what several records say, as one. One that cannot be read makes the whole unreadable: who holds is not known. */
export function wholeOf(anchor: Snapshot, others: readonly (Snapshot | undefined)[]): Snapshot {
  if (anchor.record?.shares === undefined) return anchor;
  const unreadable = others.find((other) => other?.unreadable !== undefined)?.unreadable;
  if (unreadable !== undefined) return { ...anchor, record: undefined, unreadable };
  const records = others.flatMap((other) => (other?.record === undefined ? [] : [other.record]));
  return { ...anchor, record: asOne(anchor.record, records) };
}

async function readAgain(context: Context, object: LockObject, signal: AbortSignal | undefined): Promise<Snapshot> {
  const budget = new RetryBudget(context, object.name, { ...questionPolicy(context), signal });
  const { snapshot } = await untilAnswered(budget, (left) => {
    throwIfEnded(context, signal);
    return object.ask(left);
  });
  return snapshot;
}
