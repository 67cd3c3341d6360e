import { shapeOf } from "../../store/s3/answers/etag-shape.js";
import { deletesMayRace } from "../../store/s3/learnt/conditional-delete.js";
import { type Examination, NoAnswer } from "../examination/examination.js";
import { isDone, isRefusal } from "../examination/probe-answer.js";
import { type Finding, fail, pass, RESHAPED, skipped, UNSAFE, warn } from "../examination/report.js";

export const UNKNOWN_ETAG = '"0123456789abcdef0123456789abcdef"';

/** Says whether the key holds one of these bodies, once it does or has had its time to. */
async function holds(exam: Examination, key: string, ...bodies: readonly (string | undefined)[]): Promise<boolean> {
  const isHeld = async () => bodies.includes((await exam.read(key)).body);
  return (await exam.settles(isHeld)) < Number.POSITIVE_INFINITY;
}

/** A request that was sent twice by something on the way says nothing: so often it is asked again, with a new key. */
const FORM_TRIES = 8;

/** Finds which form of an ETag `If-Match` recognises; the other checks use what is found here. */
export async function etagForm(exam: Examination): Promise<Finding> {
  for (let tries = 1; ; tries += 1) {
    const finding = await formOnOneKey(exam);
    if (!("answeredTwice" in finding)) return finding;
    if (tries < FORM_TRIES) continue;
    exam.form = undefined;
    const detail = `If-Match with the current ETag is answered ${finding.answeredTwice}, and the object is replaced, each time`;
    return fail(detail, UNSAFE);
  }
}

/** Tries the forms on one key. `answeredTwice`: the status that a write was answered with which was done all the same. */
async function formOnOneKey(exam: Examination): Promise<Finding | { readonly answeredTwice: number }> {
  const key = exam.newKey();
  const etag = await exam.create(key, exam.newBody());
  if (etag === undefined || etag === "") {
    exam.form = undefined;
    return fail("PUT answers without an ETag, so that a version cannot be named", UNSAFE);
  }
  const { shape } = shapeOf(etag);
  const statuses: number[] = [];
  for (const takenShape of new Set([shape, ""])) {
    for (const form of ["as-returned", "unquoted"] as const) {
      const body = exam.newBody();
      Object.assign(exam, { form, takenShape });
      const answer = await exam.put(key, body, exam.ifMatch(etag));
      if (isDone(answer)) return formThatIsTaken(exam, etag);
      const isFirst = statuses.push(answer.status) === 1;
      if (isFirst ? await holds(exam, key, body) : (await exam.read(key)).body === body) {
        exam.observations.repeats.answeredTwice("If-Match");
        return { answeredTwice: answer.status };
      }
    }
  }
  exam.form = undefined;
  const [quoted, bare, strong] = statuses;
  const under = strong === undefined ? "" : `, and with the strong ETag under ${etag} (${strong})`;
  const detail = `If-Match with the object's own ETag is refused (${quoted}), with quotes and without (${bare})${under}`;
  return fail(detail, "No lock can be renewed or released here. Use a store whose If-Match works.");
}

function formThatIsTaken({ form, takenShape }: Examination, etag: string): Finding {
  if (shapeOf(etag).shape !== takenShape)
    return warn(`PUT shows the ETag ${etag}, and If-Match takes only the strong one under it`, RESHAPED);
  if (form === "as-returned") return pass("If-Match takes the ETag as it was returned");
  return warn(
    "If-Match takes ETags only without their quotes",
    "Nothing to do: s3-mutex finds that out and leaves the quotes away. Other software may not.",
  );
}

const MARKERS = {
  detail:
    "what was deleted cannot be created again: the bucket keeps versions, and its delete marker counts as an object",
  remedy:
    "s3-mutex deletes nothing in such a bucket. Let nothing else delete locks, lifecycle rules included, or use a bucket without versioning.",
};

/**
 * Says whether a delete marker stands in the way of a creation, while reads say that nothing is there. It keeps the lock from all callers,
 * so it is never held twice; where the marker is not in the way, what lies under it must not be either.
 */
async function refusesOverMarkers(exam: Examination): Promise<boolean> {
  if (exam.versions === undefined || !exam.mayDelete) return false;
  exam.refusesOverMarkers ??= isRefusedOverItsMarker(exam);
  return await exam.refusesOverMarkers.catch((error: unknown) => {
    exam.refusesOverMarkers = undefined;
    throw error;
  });
}

async function isRefusedOverItsMarker(exam: Examination): Promise<boolean> {
  const key = exam.newKey();
  await exam.create(key, exam.newBody());
  await exam.delete(key);
  const again = await exam.putInVain(key, exam.newBody(), { IfNoneMatch: "*" });
  return isRefusal(again) && (await exam.read(key)).status === 404;
}

/** Checks `If-None-Match: *`, on a key that is taken, and on one that was deleted a moment ago. */
export async function createTwice(exam: Examination): Promise<Finding> {
  const key = exam.newKey();
  const isRefused = await refusesOverMarkers(exam);
  for (const time of exam.mayDelete && !isRefused ? ["new", "just-deleted", "just-deleted"] : ["new"]) {
    const body = exam.newBody();
    await exam.create(key, body);
    for (const again of ["second", "third"]) {
      const other = exam.newBody();
      const answer = await exam.putInVain(key, other, { IfNoneMatch: "*" });
      const where = `the ${again} create of a ${time} key`;
      if (isDone(answer)) return fail(`If-None-Match: * is ignored: ${where} was answered ${answer.status}`, UNSAFE);
      if (await holds(exam, key, body)) continue;
      const found = (await exam.read(key)).body;
      if (found === other) return fail(`${where} was answered ${answer.status}, and was done all the same`, UNSAFE);
      return fail("a create was answered 200, and the object is not what was created", UNSAFE);
    }
    if (exam.mayDelete) await exam.delete(key);
  }
  if (isRefused) return warn(MARKERS.detail, MARKERS.remedy);
  return pass("the second create of a key is refused");
}

/** Checks that conditions hold also for what was written seconds ago, which is in no cache of recent writes any more. */
export async function olderObject(exam: Examination): Promise<Finding> {
  const { older } = exam;
  if (older === undefined) return skipped("none was written early on");
  const { key, body, first, second, next } = older;
  const kept = pass("conditions hold for what was written seconds ago");
  if (next !== undefined && (await exam.read(key)).body === next) return kept;
  const stale = exam.newBody();
  for (const [what, condition] of [
    ["If-None-Match: *", { IfNoneMatch: "*" }],
    ["If-Match with an outdated ETag", exam.ifMatch(first)],
  ] as const) {
    const { status } = await exam.putInVain(key, stale, condition);
    if (status < 300) return fail(`${what} is ignored for an object that was written seconds ago`, UNSAFE);
  }
  if (!(await holds(exam, key, body, next ?? body)))
    return fail("an object that was written seconds ago has changed or is gone", UNSAFE);
  older.next = exam.newBody();
  await exam.replace(key, older.next, second);
  return kept;
}

/** Checks `If-Match` with an ETag that is no longer, or never was, the object's. */
export async function staleIfMatch(exam: Examination): Promise<Finding> {
  const key = exam.newKey();
  const first = await exam.create(key, exam.newBody());
  const body = exam.newBody();
  const second = await exam.replace(key, body, first);
  if (!(await holds(exam, key, body))) {
    return fail("a PUT with If-Match was answered 200, and the object is not what was written", UNSAFE);
  }
  if (second === first) return fail("the ETag stayed the same when the object changed: no version can be told", UNSAFE);
  for (const [what, etag] of [
    ["an outdated", first],
    ["an unknown", UNKNOWN_ETAG],
  ] as const) {
    const stale = exam.newBody();
    const answer = await exam.putInVain(key, stale, exam.ifMatch(etag));
    if (isDone(answer)) return fail(`If-Match is ignored: PUT with ${what} ETag was answered ${answer.status}`, UNSAFE);
    if (await holds(exam, key, body)) continue;
    return fail(`PUT with ${what} ETag was answered ${answer.status}, and the object changed all the same`, UNSAFE);
  }
  const last = exam.newBody();
  const third = await exam.replace(key, last, second);
  if (!(await holds(exam, key, last))) return fail("a PUT with If-Match was answered 200 and not made", UNSAFE);
  exam.older = { key, body: last, first, second: third };
  return pass("a write with an outdated ETag is refused");
}

/** Checks `If-Match` where there is no object: never was, or not any more. */
export async function missingIfMatch(exam: Examination): Promise<Finding> {
  const keys = [exam.newKey(), exam.newKey()] as const;
  const etag = await exam.create(keys[1], exam.newBody());
  const cases: [string, string, string | undefined][] = [["never existed", keys[0], UNKNOWN_ETAG]];
  const isDeleted = exam.mayDelete && !(await refusesOverMarkers(exam)) && (await exam.delete(keys[1]));
  if (isDeleted) cases.push(["was deleted", keys[1], etag]);
  let status = 404;
  for (const [what, key, condition] of cases) {
    const answer = await exam.putInVain(key, exam.newBody(), exam.ifMatch(condition));
    const exists = (await exam.read(key)).status !== 404;
    if (!isDone(answer) && !exists) status = answer.status;
    else if (isDone(answer)) {
      return fail(`If-Match on a key that ${what} is answered ${answer.status}: it brings deleted locks back`, UNSAFE);
    } else return fail(`If-Match on a key that ${what} is answered ${answer.status}, and creates it`, UNSAFE);
  }
  return pass(`If-Match on a key without an object is answered ${status}`);
}

const DELETE_TRIES = 8;

/** Checks conditional deletes: what cleanup needs; without them s3-mutex leaves tombstones. */
export async function staleDelete(exam: Examination, tries = 1): Promise<Finding> {
  const remedy =
    "Locks are safe: s3-mutex finds that out and deletes nothing. Free locks stay as small objects; expire them by a lifecycle rule.";
  const key = exam.newKey();
  const first = await exam.create(key, exam.newBody());
  const body = exam.newBody();
  const second = await exam.replace(key, body, first);
  const stale = await exam.deleteVersion(key, first).catch((error: unknown) => {
    const isUnsupported = error instanceof NoAnswer && error.outcome.error.code === "store-unsafe";
    if (!isUnsupported) throw error;
  });
  if (stale === undefined) return warn("DELETE with If-Match is not supported", remedy);
  const { status } = stale;
  const isKept = await holds(exam, key, body);
  if (!isKept) return warn(`DELETE ignores If-Match: with an outdated ETag it was answered ${status} and done`, remedy);
  if (!isRefusal(stale)) return warn(`DELETE with an outdated ETag is answered ${status}, and not done`, remedy);
  const current = await exam.deleteVersion(key, second);
  // Refused and gone: it was sent twice, and the second one was answered.
  if (!isDone(current) && tries < DELETE_TRIES && (await exam.read(key)).status === 404) {
    return await staleDelete(exam, tries + 1);
  }
  if (!isDone(current)) return warn(`DELETE with the current ETag is answered ${current.status}`, remedy);
  if (!(await holds(exam, key, undefined))) {
    return fail("DELETE is answered as done, and the object is still there", UNSAFE);
  }
  exam.holdsDeletes = true;
  const { program } = exam;
  if (deletesMayRace(program)) {
    const detail = `a DELETE with an outdated ETag is refused, but ${program} is known to do it beside a PUT of the same version`;
    return warn(detail, `${remedy} That is so whether or not a race was lost here.`);
  }
  exam.honoursDeletes = true;
  return pass("a DELETE with an outdated ETag is refused");
}
