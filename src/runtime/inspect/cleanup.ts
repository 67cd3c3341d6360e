import { type CleanupCommand, type CleanupReply, cleanup } from "../../core/transition/remove.js";
import { S3MutexError } from "../../errors.js";
import type { Context } from "../base/context.js";
import { inParallel } from "../base/in-parallel.js";
import { hearRejection } from "../base/listeners.js";
import { sleep } from "../base/timing.js";
import { RemoveUnsupported } from "../swap/changed.js";
import type { LockObject } from "../swap/lock-object.js";
import { sweepPolicy } from "../swap/policies.js";
import { sweeping } from "../swap/repeatable.js";
import { WriteLog } from "../swap/write-log.js";
import type { ListProgress } from "./inspect.js";
import { pagesOfKeys } from "./list-keys.js";
import { Outage } from "./outage.js";

/** What `cleanupStaleLocks` found and did. */
export interface CleanupReport {
  /** Locks under the prefix. */
  readonly total: number;
  /** Those held by a lease that has ended. */
  readonly stale: number;
  /** Those that became free or were removed; 0 in a dry run. */
  readonly cleaned: number;
  /** Objects whose body is not a lock record that this version can read; `deleteLock(name, true)` clears a corrupt one. */
  readonly unreadable: readonly UnreadableLock[];
  /**
   * Free locks that stay, as free ones, because `s3:DeleteObject` is denied, or this store does not honour conditional deletes, or not in
   * races (versitygw). In a bucket that is seen to keep versions they become tombstones and count as `cleaned`; versitygw shows that only
   * where versioning is on.
   */
  readonly unremovable: number;
}

/** An object under a lock's key that is not a record that this version can read, or that could not be read. */
export interface UnreadableLock {
  readonly key: string;
  readonly error: S3MutexError;
}

export interface CleanupRun {
  readonly prefix: string;
  readonly command: CleanupCommand;
  readonly dryRun: boolean;
  /** The lock under a key; undefined for keys that do not belong to a lock. */
  readonly lockOf: (key: string) => LockObject | undefined;
  readonly onProgress: ((progress: ListProgress) => void) | undefined;
}

/** Goes through all locks under a prefix, page by page, a bounded number at a time. */
export async function cleanupAll(context: Context, run: CleanupRun): Promise<CleanupReport> {
  const tally = { total: 0, stale: 0, cleaned: 0, unremovable: 0, unreadable: [] as UnreadableLock[] };
  const progress = { found: 0, read: 0, isComplete: false };
  const tell = () => hearRejection(run.onProgress?.({ ...progress }), "onProgress", context.logger);
  const outage = new Outage(context.effects);
  for await (const { keys, isLast } of pagesOfKeys(context, run.prefix, undefined)) {
    const objects = keys.map(run.lockOf).filter((object) => object !== undefined);
    progress.found += objects.length;
    progress.isComplete = isLast;
    tell();
    await inParallel(objects, CONCURRENCY, async (object) => {
      await cleanupOne(context, object, run, tally, outage);
      progress.read += 1;
      tell();
    });
  }
  return tally;
}

/** Half of what `inspect.ts` reads at once: each of them may write as well. */
const CONCURRENCY = 16;

type Tally = { -readonly [Field in Exclude<keyof CleanupReport, "unreadable">]: number } & {
  unreadable: UnreadableLock[];
};

async function cleanupOne(
  context: Context,
  object: LockObject,
  run: CleanupRun,
  tally: Tally,
  outage: Outage,
): Promise<void> {
  try {
    const reply = await sweep(context, object, run);
    outage.answered();
    if (reply === "absent") return;
    tally.total += 1;
    if (reply === "stale") tally.stale += 1;
    if (!run.dryRun && reply !== "kept") tally.cleaned += 1;
  } catch (error) {
    tally.total += 1;
    if (error instanceof RemoveUnsupported) tally.unremovable += 1;
    else if (S3MutexError.is(error) && UNREADABLE.has(error.code)) {
      tally.unreadable.push({ key: object.key, error });
      outage.failed(error);
    } else throw error;
  }
}

const UNREADABLE: ReadonlySet<string> = new Set([
  "corrupt-record",
  "newer-schema",
  "store-unavailable",
  "access-denied",
]);

/**
 * Sweeps, and waits for what is about to be free. Right after a release, the bounds of store time may not yet say that it is over: a
 * store's `Date` is told in whole seconds. A caller that asks for what is free to be removed at once means those as well.
 */
async function sweep(context: Context, object: LockObject, run: CleanupRun): Promise<CleanupReply["kind"]> {
  const reply = await sweepOnce(context, object, run);
  if (reply.kind !== "unsettled") return reply.kind;
  if (run.dryRun || reply.forMs > LONGEST_WAIT_MS) return "kept";
  await sleep(context.effects, reply.forMs + MARGIN_MS, { keepAlive: true, signal: context.closed });
  const { kind } = await sweepOnce(context, object, run);
  return kind === "unsettled" ? "kept" : kind;
}

/** A run over many locks does not stand still for one that will be free later: the next run finds it. */
const LONGEST_WAIT_MS = 5000;
/** Clocks run at slightly different speeds. */
const MARGIN_MS = 20;

async function sweepOnce(context: Context, object: LockObject, { command, dryRun }: CleanupRun): Promise<CleanupReply> {
  const { reply } = await object.swap(
    dryRun ? (record, attempt) => ({ reply: cleanup(record, command, attempt).reply }) : sweeping(command),
    { ...sweepPolicy(context), writeLog: new WriteLog(), from: "store" },
  );
  return reply;
}
