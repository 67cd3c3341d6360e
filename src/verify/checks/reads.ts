import { haveOneCore } from "../../store/s3/answers/etag-shape.js";
import { answered, type Examination, lag, SETTLE_MS } from "../examination/examination.js";
import type { ProbeAnswer } from "../examination/probe-answer.js";
import { isDone } from "../examination/probe-answer.js";
import { type Finding, fail, pass, RESHAPED, UNSAFE, warn } from "../examination/report.js";

const STALE =
  "Do not lock on this store: it has to show a write to every read that comes after it. Look for a cache in front of it.";

/** Checks that a read over another connection shows whatever was acknowledged. */
export async function readAfterWrite(exam: Examination): Promise<Finding> {
  const rounds = exam.thoroughness.readRounds;
  for (let round = 0; round < rounds; round += 1) {
    const key = exam.newKey();
    // What is asked for before it exists is what caches of absence remember.
    if ((await exam.read(key)).status !== 404)
      return fail("a key that was never written is answered as if it existed", STALE);
    let etag: string | undefined;
    for (const step of ["create", "replace", "replacing it again"]) {
      const body = exam.newBody();
      etag = step === "create" ? await exam.create(key, body) : await exam.replace(key, body, etag);
      const lateMs = await exam.settles(async () => (await exam.read(key)).body === body);
      if (lateMs > 0) return fail(`a read shows what ${step} wrote ${lag(lateMs)}`, STALE);
      // Once more, elsewhere: gateways may differ.
      if ((await exam.read(key)).body !== body) return fail("a second read shows less than the first one", STALE);
    }
    if (!exam.mayDelete || exam.isThrottled) return pass("6 reads showed what had just been written");
    const fault = await showsDeletion(exam, key);
    if (fault !== undefined) return fault;
  }
  return pass(`${rounds * 7} reads showed what had just been written`);
}

async function showsDeletion(exam: Examination, key: string): Promise<Finding | undefined> {
  await exam.delete(key);
  const lateMs = await exam.settles(async () => (await exam.read(key)).status === 404);
  if (lateMs === 0) return undefined;
  if (lateMs < Number.POSITIVE_INFINITY) return fail(`a read shows that an object was deleted ${lag(lateMs)}`, STALE);
  return fail("DELETE is answered as done, and the object is still there", UNSAFE);
}

/** Checks that a waiter, which asks with `If-None-Match`, hears of every change. */
export async function notModified(exam: Examination): Promise<Finding> {
  const key = exam.newKey();
  const body = exam.newBody();
  const first = await exam.create(key, exam.newBody());
  if (first === undefined) return fail("PUT answers without an ETag", UNSAFE);
  const condition = exam.ifMatch(first).IfMatch;
  const same = await exam.read(key, condition);
  const second = await exam.replace(key, body, first);
  const changedLateMs = await exam.settles(async () => (await exam.read(key, condition)).body === body);
  if (changedLateMs > 0)
    return fail(`304 is answered to a read of a changed object, ${duration(changedLateMs)}`, STALE);
  if (exam.mayDelete) {
    await exam.delete(key);
    const goneLateMs = await exam.settles(
      async () => (await exam.read(key, exam.ifMatch(second).IfMatch)).status === 404,
    );
    if (goneLateMs > 0) return fail(`304 is answered to a read of a deleted object, ${duration(goneLateMs)}`, STALE);
  }
  if (same.status === 404) return fail("a read does not show an object that was just created", STALE);
  if (same.status === 304) return pass("an unchanged object is answered 304, a changed one in full");
  return warn(
    `an unchanged object is answered ${same.status} in full, not 304`,
    "Nothing to do: waiting moves a few hundred bytes more each time.",
  );
}

/** Says for how long a fault was seen, `never` to end included. */
function duration(elapsedMs: number): string {
  return elapsedMs === Number.POSITIVE_INFINITY ? `still so after ${SETTLE_MS / 1000} s` : `for ${elapsedMs} ms`;
}

/** Checks that a version has one ETag for all clients, and every other version another one. */
export async function etags(exam: Examination): Promise<Finding> {
  const key = exam.newKey();
  const seen = new Set<string>();
  let etag: string | undefined;
  let isWeak = false;
  let reshaped: Finding | undefined;
  for (let version = 0; version < 4; version += 1) {
    const body = exam.newBody();
    etag = version === 0 ? await exam.create(key, body) : await exam.replace(key, body, etag);
    if (etag === undefined || etag === "") return fail("PUT answers without an ETag", UNSAFE);
    if (seen.has(etag)) return fail(`two versions of an object have the same ETag, ${etag}`, UNSAFE);
    seen.add(etag);
    isWeak ||= etag.startsWith("W/");
    for (const _ of [1, 2]) {
      const finding = etagShownBy(await exam.read(key), body, etag);
      if (finding?.verdict === "fail") return finding;
      reshaped ??= finding;
    }
  }
  if (reshaped !== undefined) return reshaped;
  if (!isWeak) return pass("each version has its own ETag, the same in PUT and GET");
  return warn(
    `ETags are weak, as in ${etag}`,
    "Look for a proxy that compresses or rewrites answers, and take it away.",
  );
}

/** Judges the ETag that a read shows, where it shows this body. */
function etagShownBy(read: ProbeAnswer, body: string, written: string): Finding | undefined {
  if (read.etag === undefined || read.etag === "") return fail("GET answers without an ETag", UNSAFE);
  if (read.body !== body || read.etag === written) return undefined;
  const detail = `PUT said that the ETag is ${written}, and GET says ${read.etag}`;
  return haveOneCore(read.etag, written) ? warn(detail, RESHAPED) : fail(detail, UNSAFE);
}

/** Checks that bodies come back as they were written, up to beyond the longest record. */
export async function bodies(exam: Examination): Promise<Finding> {
  const texts = ["ä", '\u{1F512}<&>"\\\r\n\t ', "long "].map((part, index) => {
    return JSON.stringify({ probe: exam.newBody(), text: part.repeat(index === 2 ? 9000 : 300) });
  });
  for (const text of [...texts, "{}"]) {
    const key = exam.newKey();
    await exam.create(key, text);
    const lateMs = await exam.settles(async () => (await exam.read(key)).body === text);
    const size = Buffer.byteLength(text);
    if (lateMs === 0) continue;
    const found = (await exam.read(key)).body;
    if (found === text) return fail(`a read shows an object of ${size} bytes ${lag(lateMs)}`, STALE);
    const what =
      found === undefined ? "is not there" : `comes back with ${Buffer.byteLength(found)} bytes, not the same`;
    return fail(
      `an object of ${size} bytes ${what}`,
      "Look for a proxy that changes or cuts bodies. Records would be corrupt.",
    );
  }
  return pass("bodies of up to 45 KB come back as they were written");
}

/** Compares HEAD with GET: locks ask by GET only; other software may not. */
export async function head(exam: Examination): Promise<Finding> {
  const key = exam.newKey();
  const remedy = "Nothing to do: s3-mutex uses GET. Other software may be misled.";
  const etag = await exam.create(key, exam.newBody());
  const outcome = await exam.lane.head(key);
  if (outcome.kind === "refused") return warn("HEAD is refused where GET is not", remedy);
  const found = answered(outcome);
  if (!isDone(found)) return warn(`HEAD of an object that is there is answered ${found.status}`, remedy);
  if (found.etag !== etag) return warn(`HEAD says that the ETag is ${found.etag}, PUT said ${etag}`, remedy);
  return pass("HEAD agrees with GET");
}
