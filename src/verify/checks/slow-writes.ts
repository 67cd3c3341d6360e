import { answered, type Examination, NoAnswer } from "../examination/examination.js";
import { type Finding, pass, skipped, warn } from "../examination/report.js";

/** A slow PUT has to have arrived before the read that may wait for it. */
const UNDER_WAY_MS = 150;
/** An answer that has not come by then waits for something. */
const WAITING_MS = 1500;
/** Until then what was cut short may still be stored. */
const LOOKS_MS = [100, 300, 600];
/** Rather more than what a store waits for (30 s on MinIO), and as much again of what a lease needs. */
const LEASE_MS = 45_000;

/** Tries a write that is under way for long, and one that is cut off: what reads show meanwhile, and afterwards. */
export async function slowWrites(exam: Examination): Promise<{ readonly reads: Finding; readonly cut: Finding }> {
  try {
    return await oneSlowWrite(exam);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return { reads: skipped(error.message), cut: skipped(error.message) };
  }
}

async function oneSlowWrite(exam: Examination): Promise<{ readonly reads: Finding; readonly cut: Finding }> {
  const { effects } = exam;
  const key = exam.newKey("slow");
  const body = exam.newBody();
  const etag = await exam.create(key, body);
  const write = exam.lane.putSlowly(
    key,
    JSON.stringify({ probe: exam.newBody(), pad: "x".repeat(400) }),
    exam.ifMatch(etag),
  );
  await exam.pause(UNDER_WAY_MS);
  const startedAtMs = effects.monotonicMs();
  let isAnswered = false;
  const reading = exam.lane.get(key).finally(() => {
    isAnswered = true;
  });
  while (!isAnswered && effects.monotonicMs() - startedAtMs < WAITING_MS) await exam.pause(20);
  const waits = !isAnswered;
  await write.cut();
  const during = await reading;
  const reads = waits
    ? waitsFor(effects.monotonicMs() - startedAtMs)
    : pass("a read does not wait for a write that is under way");
  if (!waits) answered(during);
  for (const delayMs of LOOKS_MS) {
    await exam.pause(delayMs);
    const found = await exam.read(key);
    if (found.body === body) continue;
    const size = found.body === undefined ? "nothing" : `${Buffer.byteLength(found.body)} bytes`;
    return { reads, cut: kept(size) };
  }
  return { reads, cut: pass("a write that was cut short changes nothing") };
}

function waitsFor(waitedMs: number): Finding {
  return warn(
    `a read of a key waits for a write of it that is under way; it was answered after ${Math.round(waitedMs)} ms, when that was cut off`,
    `A slow upload of another client keeps a holder from its renewal: use a lockTimeoutMs of ${LEASE_MS} or more (MinIO waits for up to 30 s).`,
    { waitedMs: Math.round(waitedMs) },
  );
}

function kept(size: string): Finding {
  return warn(
    `a write that was cut one byte short was taken all the same: its key holds ${size}`,
    "A process that dies while it writes can leave a lock that is not a record (corrupt-record, until deleteLock(name, true) clears it), and its holder loses it. Use another store for what must not stop.",
  );
}
