import { arnOf } from "../../arguments/bucket-names.js";
import { ifAllowed } from "../../store/s3/answers/refusals.js";
import { LONG_ENOUGH_MS } from "../examination/answering.js";
import { type Examination, NoAnswer } from "../examination/examination.js";
import type { ProbeOutcome } from "../examination/probe-answer.js";
import { isDone } from "../examination/probe-answer.js";
import { type Finding, fail, pass, type StoreCheckId, skipped, warn } from "../examination/report.js";

type PermissionId = Extract<StoreCheckId, `${string}-permission`>;

const TRIES = 5;

/**
 * Finds what this identity may do, action by action. What is not about permissions (no such bucket, credentials that are missing, wrong or
 * out of date, a clock that the store does not believe, no answer, an answer from something on the way) is thrown: nothing can be said
 * about such a store.
 */
export async function permissions(
  exam: Examination,
  place: { readonly bucketName: string; readonly keyPrefix: string },
): Promise<Record<PermissionId, Finding> & { readonly shownVersion: string | undefined }> {
  const objects = arnOf(place.bucketName, `${place.keyPrefix}*`);
  const bucket = arnOf(place.bucketName);
  const ask = (request: () => Promise<ProbeOutcome>) => tried(exam, request);
  const must = async (request: () => Promise<ProbeOutcome>) => orCause(await ask(request));
  const key = exam.newKey();
  const put = await must(() => exam.lane.put(key, exam.newBody(), { IfNoneMatch: "*" }));
  const got = await must(() => exam.lane.get(key));
  // It neither takes nor gives anything: whatever is wrong with it, that is not a verdict on its conditions.
  if (put.kind === "unknown" && got.kind === "unknown") throw put.error;
  const missing = await must(() => exam.lane.get(`${key}-missing`));
  const list = await ask(() => exam.lane.list(exam.folder));
  const removed = await ask(() => exam.lane.delete(key));
  exam.mayDelete = removed.kind === "answer";
  const shownVersion = put.kind === "answer" ? put.versionId : undefined;
  const ifListed = `Allow s3:ListBucket on ${bucket}, without a condition on the prefix.`;
  const hidden = missing.kind === "refused" && got.kind === "answer" && isDone(got);
  exam.hidesAbsence = hidden;
  return {
    shownVersion,
    "put-permission": judged(put, "PutObject", (why) => fail(why, allow("s3:PutObject", objects))),
    "get-permission": judged(got, "GetObject", (why) => fail(why, allow("s3:GetObject", objects))),
    "list-permission": hidden
      ? fail("a lock that does not exist yet is answered 403, not 404: s3:ListBucket is missing", ifListed)
      : judged(list, "ListBucket", (why) => warn(why, ifListed), "`ls` and cleanup cannot work"),
    "delete-permission": judged(
      removed,
      "DeleteObject",
      (why) => warn(why, `Allow s3:DeleteObject on ${objects}.`),
      "`deleteLock` and cleanup cannot remove",
    ),
  };
}

function judged(outcome: ProbeOutcome, action: string, denied: (why: string) => Finding, effect?: string): Finding {
  if (outcome.kind === "answer") return pass(`s3:${action} is allowed`);
  if (outcome.kind === "refused" && outcome.about === "permissions")
    return denied(toldWhy(action, outcome.error.message, effect));
  if (outcome.error.code === "access-denied") return warn(outcome.error.message, SEE_MESSAGE);
  // Not a matter of permissions: what cannot be done is found by the checks.
  return skipped(outcome.error.message);
}

function allow(action: string, objects: string): string {
  return `Allow ${action} on ${objects}.${ifAllowed(action)}`;
}

const SEE_MESSAGE = "Locks do not rest on this. `ls` and cleanup do.";

/**
 * Quotes the store's own words where they say which other right is missing, such as one on the encryption's key, or which policy denies it.
 */
function toldWhy(action: string, message: string, effect: string | undefined): string {
  const saysWhy = /\bkms:\w+|\bnot authorized to perform\b/.test(message);
  const denied = `s3:${action} is denied${effect === undefined ? "" : `, and ${effect}`}`;
  return saysWhy ? `${denied}: ${message.replace(/\.$/, "")}` : denied;
}

/** Throws what is another matter than a permission, and gives the rest: without writes and reads nothing can be found out. */
function orCause(outcome: ProbeOutcome): ProbeOutcome {
  const isOther =
    outcome.kind === "refused" && outcome.error.code === "access-denied" && outcome.about !== "permissions";
  // Each try was turned away unseen, as where this machine's clock is off: that is not a fault of the store.
  const isUnheard = outcome.kind === "unknown" && (outcome.isForeign === true || !outcome.sent);
  if (isOther || isUnheard) throw outcome.error;
  return outcome;
}

async function tried(exam: Examination, request: () => Promise<ProbeOutcome>): Promise<ProbeOutcome> {
  const { effects } = exam;
  const startedAtMs = effects.monotonicMs();
  for (let tries = 1; ; tries += 1) {
    const outcome = await request();
    if (outcome.kind === "refused" && NOT_PERMISSIONS.has(outcome.error.code)) throw outcome.error;
    if (outcome.kind !== "unknown") return outcome;
    // One that waits in vain for what comes before it leaves, such as credentials, is not made ready five times.
    const isInVain = !outcome.sent && effects.monotonicMs() - startedAtMs > LONG_ENOUGH_MS;
    if (tries < TRIES && !isInVain) await exam.stepBack(outcome, tries);
    // A store that answers is examined, however badly it answers; of one that does not, nothing can be said.
    else if (outcome.timing === undefined) throw new NoAnswer(outcome).outcome.error;
    else return outcome;
  }
}

const NOT_PERMISSIONS: ReadonlySet<string> = new Set(["no-such-bucket", "invalid-argument"]);
