import type { ClockReading } from "../../src/core/store-time.js";
import { WriteLog } from "../../src/runtime/swap/write-log.js";
import type { WriteCondition } from "../../src/store/object-store.js";
import { ABSENT, type Client, clientAt, edit, etagOf, type SentWrite, type Snapshot, writeId } from "../state.js";
import type { Actor } from "./actor.js";

/**
 * The real `WriteLog`, which cannot be copied from state to state: it is told of the writes again whenever it is asked. What
 * it answers for one write does not depend on the others.
 */

/** `WriteLog.readingOf`: from when on a lease counts that was granted or renewed by this write. */
export function readingOf(writeLog: readonly SentWrite[], write: number): ClockReading | undefined {
  const log = new WriteLog();
  for (const sent of writeLog) log.begin(writeId(sent.write), conditionOf(sent), sent.reading);
  return log.readingOf(writeId(write));
}

/** `WriteLog.hasUnresolved`. */
export function hasUnresolved({ writeLog }: Client): boolean {
  return writeLog.some(({ unresolved }) => unresolved);
}

/** `WriteLog.seen`. */
export function noteSeen({ client }: Actor, { version, asked }: Snapshot): void {
  client.writeLog = client.writeLog.map((sent) =>
    sent.unresolved && !isUnresolvedAfter(sent, etagOf(version), asked) ? { ...sent, unresolved: false } : sent,
  );
}

function isUnresolvedAfter(sent: SentWrite, etag: number, asked: number): boolean {
  const log = new WriteLog();
  // Its place in the order of events stands for the time at which it was sent: `WriteLog` only compares those.
  log.begin(writeId(sent.write), conditionOf(sent), { monotonicMs: sent.sequence, wallMs: 0 });
  log.seen(etag === ABSENT ? undefined : String(etag), asked);
  return log.hasUnresolved;
}

/** `WriteLog.answered`; of a transfer, in the books of both. */
export function noteAnswered({ world, client, index }: Actor, write: number): void {
  for (let at = 0; at < world.clients.length; at += 1) {
    const { writeLog } = at === index ? client : clientAt(world, at);
    if (!writeLog.some((sent) => sent.write === write && sent.unresolved)) continue;
    const answered = writeLog.map((sent) => (sent.write === write ? { ...sent, unresolved: false } : sent));
    (at === index ? client : edit(world, at)).writeLog = answered;
  }
}

function conditionOf({ condition }: SentWrite): WriteCondition {
  return condition === ABSENT ? { kind: "if-absent" } : { kind: "if-match", etag: String(condition) };
}
