import type { LifecycleRule, ReplicationRule, S3ServiceException } from "@aws-sdk/client-s3";
import { defaultOncePrefix, defaultSemaphorePrefix } from "../../arguments/defaults.js";
import type { Examination } from "../examination/examination.js";
import type { ProbeOutcome } from "../examination/probe-answer.js";
import { type Finding, fail, pass, skipped, UNSAFE_WITH_VERSIONS, warn } from "../examination/report.js";

/** A store that lets a question about the bucket run into its time-out is not asked it again. */
const LONG_ENOUGH_MS = 5000;

/** Asks whether the bucket keeps versions: it says so, or, where one may not ask, a write shows it (`shownVersion`). */
export async function askForVersions(exam: Examination, shownVersion: string | undefined): Promise<ProbeOutcome> {
  const versions = await exam.insist(() => exam.lane.versioning(), LONG_ENOUGH_MS);
  const shown = shownVersion === undefined ? undefined : shownVersion === "null" ? "Suspended" : "Enabled";
  exam.versions = (versions.kind === "answer" ? versions.versioning : undefined) || shown;
  return versions;
}

/** What a bucket's rules are compared with: where locks are, and, unless a caller has named other places, what else is written for them. */
interface Places {
  readonly locks: string;
  readonly once: string;
  readonly semaphores: string;
}

/** Judges what a bucket keeps of objects that are rewritten all the time, and whether conditions hold beside that. */
export async function versioning(
  exam: Examination,
  versions: ProbeOutcome,
  isUnsafe: boolean,
  keyPrefix: string,
): Promise<{ readonly versioning: Finding; readonly lifecycle: Finding }> {
  const places = {
    locks: keyPrefix,
    once: defaultOncePrefix(keyPrefix),
    semaphores: defaultSemaphorePrefix(keyPrefix),
  };
  const rules = await exam.insist(() => exam.lane.lifecycle(), LONG_ENOUGH_MS);
  return {
    versioning: await versionsKept(exam, versions, isUnsafe, places),
    lifecycle:
      unreadable(rules, "s3:GetLifecycleConfiguration") ??
      lifecycle(rulesOf(rules), places, exam.versions === "Enabled"),
  };
}

async function versionsKept(
  exam: Examination,
  versions: ProbeOutcome,
  isUnsafe: boolean,
  places: Places,
): Promise<Finding> {
  const { versions: status } = exam;
  if (isUnsafe && status !== undefined) {
    const how = status === "Enabled" ? "keeps versions" : "has kept versions, which was suspended";
    return fail(`the bucket ${how}, and conditions do not hold in it`, UNSAFE_WITH_VERSIONS);
  }
  // Only buckets with versions are copied.
  const copied = status === "Enabled" ? await copies(exam, places) : undefined;
  const retained = exam.lane.wantsChecksums ? RETAINED : undefined;
  const warned = together([copied, retained]);
  if (warned !== undefined) return warned;
  const denied = status === undefined ? unreadable(versions, "s3:GetBucketVersioning") : undefined;
  return denied ?? pass(`versioning: ${(status ?? "never enabled").toLowerCase()}`);
}

/** Warns of what is copied to another bucket, and where that cannot be known; undefined where nothing of s3-mutex is. */
async function copies(exam: Examination, places: Places): Promise<Finding | undefined> {
  const { locks, once, semaphores } = places;
  const advice = `Lock in this bucket only, in every process, and leave ${locks === "" ? "locks" : `${locks}, ${once} and ${semaphores}`} out of the replication: a condition holds in the bucket that it reaches, so two buckets that copy each other give one lock to two.`;
  const answer = await exam.insist(() => exam.lane.replication(), LONG_ENOUGH_MS);
  if (answer.kind !== "answer") return unreadCopies(answer, advice);
  const rules = (answer.replication ?? []).filter((rule) => {
    return rule.Status === "Enabled" && Object.values(places).some((place) => reaches(prefixOf(rule), place));
  });
  if (rules.length === 0) return undefined;
  const prefixes = [...new Set(rules.map(prefixOf))];
  const what = prefixes.includes("") ? "what is written here" : `what is written under ${prefixes.join(", ")}`;
  const buckets = new Set(rules.map(({ Destination }) => Destination?.Bucket ?? "another bucket"));
  return warn(`${what} is copied to ${[...buckets].join(", ")}`, advice);
}

function unreadCopies(outcome: Exclude<ProbeOutcome, { kind: "answer" }>, advice: string): Finding | undefined {
  const action = "s3:GetReplicationConfiguration";
  const { code, message, cause } = outcome.error;
  // A store that knows no such setting copies nothing: 501, 405, 400, or a 404 of its own.
  const isUnknownThere = (cause as Partial<S3ServiceException> | undefined)?.$metadata?.httpStatusCode === 404;
  if (code === "store-unsafe" || isUnknownThere) return undefined;
  if (outcome.kind === "refused" && outcome.about === "permissions") {
    return warn(
      `could not be read: ${action} is denied`,
      `Allow ${action} on the bucket to have this examined, or look there for rules that copy locks. ${advice}`,
    );
  }
  return warn(`could not be read: ${message}`, `Look there for rules that copy locks. ${advice}`);
}

interface Rule {
  readonly Filter?: ReplicationRule["Filter"] | LifecycleRule["Filter"];
  readonly Prefix?: string | undefined;
}

function prefixOf({ Filter, Prefix }: Rule): string {
  return Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? "";
}

/** Says whether a rule is about anything that is there: all of it, or some. */
function reaches(rule: string, place: string): boolean {
  return rule.startsWith(place) || place.startsWith(rule);
}

/** Makes one warning of several. */
function together(warnings: readonly (Finding | undefined)[]): Finding | undefined {
  const found = warnings.filter((warning) => warning !== undefined);
  if (found.length === 0) return undefined;
  return warn(found.map(({ detail }) => detail).join("; "), found.map(({ remedy }) => remedy).join(" "));
}

const RETAINED = warn(
  "writes are taken only with a checksum, as under Object Lock with a default retention; s3-mutex sends one",
  "Each renewal leaves a version that cannot be removed until its retention is over: keep locks in a bucket without one.",
);

/** Lists the rules that are on. None of what s3-mutex writes has tags: a rule about those is not about it. */
function rulesOf(outcome: ProbeOutcome): readonly LifecycleRule[] {
  const rules = (outcome.kind === "answer" ? outcome.rules : undefined) ?? [];
  return rules.filter(({ Status, Filter }) => {
    return Status === "Enabled" && Filter?.Tag === undefined && (Filter?.And?.Tags ?? []).length === 0;
  });
}

function unreadable(outcome: ProbeOutcome, action: string): Finding | undefined {
  if (outcome.kind === "answer") return undefined;
  if (outcome.kind === "refused" && outcome.about === "permissions") {
    return warn(
      `could not be read: ${action} is denied`,
      `Allow ${action} on the bucket to have this examined; locks do not need it.`,
    );
  }
  // Of a store that knows no such setting, more need not be said.
  const isSaid = outcome.kind === "refused" && outcome.error.code === "access-denied";
  return skipped(isSaid ? outcome.error.message : "the store does not say");
}

function lifecycle(rules: readonly LifecycleRule[], places: Places, isVersioned: boolean): Finding {
  const warned = together([expiring(rules, places), isVersioned ? keptVersions(rules, places) : undefined]);
  if (warned !== undefined) return warned;
  const { length } = rules.filter((rule) => reaches(prefixOf(rule), places.locks));
  const left =
    isVersioned && !expireOld(rules, places.semaphores)
      ? `; old versions of semaphores (${places.semaphores}) stay`
      : "";
  if (length > 0) return pass(`${length} lifecycle ${length === 1 ? "rule applies" : "rules apply"} to locks${left}`);
  return pass("no lifecycle rule for locks: free ones stay as small objects, which costs next to nothing");
}

function keptVersions(rules: readonly LifecycleRule[], { locks }: Places): Finding | undefined {
  if (expireOld(rules, locks)) return undefined;
  const remedy = "Each renewal leaves a version behind. `s3-mutex policy` prints the lifecycle rule that expires them.";
  return warn("the bucket keeps every version of every lock", remedy);
}

/** Says whether old versions of all that is there expire. */
function expireOld(rules: readonly LifecycleRule[], place: string): boolean {
  return rules.some((rule) => rule.NoncurrentVersionExpiration !== undefined && place.startsWith(prefixOf(rule)));
}

/** Warns of rules that remove what has to stay however long it is at rest. */
function expiring(rules: readonly LifecycleRule[], { once, semaphores }: Places): Finding | undefined {
  const expire = rules.filter(({ Expiration }) => Expiration?.Days !== undefined || Expiration?.Date !== undefined);
  const isReached = (place: string) => expire.some((rule) => reaches(prefixOf(rule), place));
  const what = [...(isReached(once) ? ["results of runOnce"] : []), ...(isReached(semaphores) ? ["semaphores"] : [])];
  if (what.length === 0) return undefined;
  return warn(
    `a lifecycle rule expires ${what.join(" and ")}`,
    `Leave ${once} and ${semaphores} out of rules that expire objects: what was done once would be done again, and a semaphore would forget how many permits it has.`,
  );
}
