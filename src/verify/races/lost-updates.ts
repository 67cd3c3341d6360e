import { answered, type Examination, NoAnswer } from "../examination/examination.js";
import { isDone } from "../examination/probe-answer.js";
import { type Finding, fail, pass, skipped, UNSAFE, warn } from "../examination/report.js";

interface Ledger {
  readonly probe: string;
  /** Who has written, in order. */
  readonly written: readonly string[];
}

/** Longer ledgers would be measured for their length. */
const ENTRIES_MAX = 400;
/** Of so few nothing could be lost: the others are waited for, for a while. */
const ENOUGH = 20;
const PATIENCE_MS = 6000;
const READS = 40;
/** Stores that count writes do so by the second. */
const THROTTLED_MS = 4000;
const WRITES_MAX = 100;
const SLOW_WRITES_PER_S = 3;

/**
 * Tests the way locks work, in small: read, add, write if nothing changed. Each contender goes at a pace of its own, so that a write meets
 * not only its own version's rivals but also those of later ones. A contender that was told that its write was made has to be in the ledger
 * at the end.
 */
export async function lostUpdates(exam: Examination): Promise<Finding> {
  if (exam.form === undefined) return skipped("If-Match does not work here");
  const key = exam.newKey("ledger");
  await exam.create(key, JSON.stringify({ probe: exam.newBody(), written: [] } satisfies Ledger));
  const endMs = exam.endOfShareMs(0.4);
  const patientEndMs = Math.max(endMs, exam.effects.monotonicMs() + PATIENCE_MS);
  const acknowledged = new Set<string>();
  let fault: string | undefined;
  const isOver = () => {
    const enoughMs = acknowledged.size < ENOUGH ? patientEndMs : endMs;
    return exam.effects.monotonicMs() >= enoughMs || acknowledged.size >= ENTRIES_MAX;
  };
  const write = async (writer: number): Promise<void> => {
    let seen = 0;
    for (let turn = 0; !isOver(); turn += 1) {
      const read = await exam.read(key);
      const written = writtenIn(read.body);
      if (written === undefined) fault ??= "a read did not show the ledger that all contenders write to";
      if (written === undefined) return;
      if (written.length < seen) fault ??= `a read showed ${written.length} entries after one of ${seen}`;
      seen = written.length;
      const entry = `${writer}-${turn}`;
      const body = JSON.stringify({ probe: exam.newBody(), written: [...written, entry] } satisfies Ledger);
      const outcome = await exam.lane.put(key, body, exam.ifMatch(read.etag));
      if (outcome.kind === "unknown") await exam.stepBack(outcome, 1);
      else if (isDone(answered(outcome))) {
        acknowledged.add(entry);
        seen += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 5 }, (_, writer) => write(writer)));
  if (fault !== undefined) return fail(fault, UNSAFE);
  let missing: string[] = [];
  const lateMs = await exam.settles(async () => {
    const written = writtenIn((await exam.read(key)).body) ?? [];
    missing = [...acknowledged].filter((entry) => written.filter((other) => other === entry).length !== 1);
    return missing.length === 0;
  });
  if (missing.length > 0)
    return fail(`${missing.length} of ${acknowledged.size} acknowledged updates were lost`, UNSAFE);
  if (lateMs > 0) return fail(`the last of ${acknowledged.size} updates could be read only after ${lateMs} ms`, UNSAFE);
  const { size } = acknowledged;
  const seen = `${size} ${size === 1 ? "update" : "updates"} by 5 writers, none lost`;
  if (size > 1) return pass(seen);
  return warn(`${seen}: nothing can be told by so few`, "Examine again when the store and this machine are less busy.");
}

function writtenIn(body: string | undefined): Ledger["written"] | undefined {
  try {
    const { written } = JSON.parse(body ?? "{}") as Partial<Ledger>;
    return Array.isArray(written) ? written : undefined;
  } catch {
    return undefined;
  }
}

/** Measures how fast one key can be changed by one writer that is alone; the requests of this are those of `latency`. */
export async function writeCeiling(exam: Examination): Promise<Finding> {
  if (exam.form === undefined) return skipped("If-Match does not work here");
  const { effects } = exam;
  const key = exam.newKey("ceiling");
  const startedAtMs = effects.monotonicMs();
  const endMs = exam.endOfShareMs(0.5);
  const { writes, throttled } = await writeUntil(exam, key, (isThrottled) => {
    const nowMs = effects.monotonicMs();
    return nowMs >= endMs && (!isThrottled || nowMs - startedAtMs > THROTTLED_MS);
  });
  const writingMs = effects.monotonicMs() - startedAtMs;
  const readsEndMs = effects.monotonicMs() + writingMs;
  for (let reads = 0; reads < READS && effects.monotonicMs() < readsEndMs; reads += 1) await exam.read(key);
  const writesPerS = Math.round((writes / writingMs) * 10_000) / 10;
  const detail = `${writesPerS} writes a second on one key by one writer`;
  const remedy = "A turn of a lock takes two writes. Use many locks rather than one that many want, or another store.";
  const measured = { writesPerS, throttled };
  if (throttled > 0) return warn(`${detail}; ${throttled} were turned away (429 or 503)`, remedy, measured);
  return writesPerS < SLOW_WRITES_PER_S ? warn(detail, remedy, measured) : pass(detail, measured);
}

async function writeUntil(exam: Examination, key: string, isOver: (isThrottled: boolean) => boolean) {
  let etag = await exam.create(key, exam.newBody());
  let writes = 1;
  let throttled = 0;
  while (writes < WRITES_MAX && !isOver(throttled > 0)) {
    const outcome = await exam.lane.put(key, exam.newBody(), exam.ifMatch(etag));
    if (outcome.kind === "refused") throw new NoAnswer(outcome);
    if (outcome.kind === "unknown") {
      throttled += outcome.throttled ? 1 : 0;
      await exam.stepBack(outcome, 1);
    }
    const answer = outcome.kind === "answer" && isDone(outcome) ? outcome : undefined;
    writes += answer === undefined ? 0 : 1;
    // What became of the write is for the key to say.
    etag = answer === undefined ? (await exam.read(key)).etag : answer.etag;
  }
  return { writes, throttled };
}
