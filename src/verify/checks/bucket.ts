import type { LifecycleRule, ReplicationRule } from "@aws-sdk/client-s3";
import type { Examination } from "../examination/examination.js";
import type { ProbeOutcome } from "../examination/probe-answer.js";
import { type Finding, fail, pass, skipped, UNSAFE_WITH_VERSIONS, warn } from "../examination/report.js";

/** Asks whether the bucket keeps versions: it says so, or, where one may not ask, a write shows it (`shownVersion`). */
export async function askForVersions(exam: Examination, shownVersion: string | undefined): Promise<ProbeOutcome> {
  const versions = await exam.lane.versioning();
  const shown = shownVersion === undefined ? undefined : shownVersion === "null" ? "Suspended" : "Enabled";
  exam.versions = (versions.kind === "answer" ? versions.versioning : undefined) || shown;
  return versions;
}

/** Judges what a bucket keeps of objects that are rewritten all the time, and whether conditions hold beside that. */
export async function versioning(
  exam: Examination,
  versions: ProbeOutcome,
  isUnsafe: boolean,
): Promise<{ readonly versioning: Finding; readonly lifecycle: Finding }> {
  const rules = await exam.lane.lifecycle();
  return {
    versioning: await versionsKept(exam, versions, isUnsafe),
    lifecycle:
      unreadable(rules, "s3:GetLifecycleConfiguration") ?? lifecycle(exam, rulesOf(rules), exam.versions === "Enabled"),
  };
}

async function versionsKept(exam: Examination, versions: ProbeOutcome, isUnsafe: boolean): Promise<Finding> {
  const { versions: status } = exam;
  if (isUnsafe && status !== undefined) {
    const how = status === "Enabled" ? "keeps versions" : "has kept versions, which was suspended";
    return fail(`the bucket ${how}, and conditions do not hold in it`, UNSAFE_WITH_VERSIONS);
  }
  if (exam.lane.wantsChecksums) return RETAINED;
  const denied = status === undefined ? unreadable(versions, "s3:GetBucketVersioning") : undefined;
  if (denied !== undefined) return denied;
  // Only buckets with versions are copied.
  const copies = status === "Enabled" ? await exam.lane.replication() : undefined;
  const copied = copies?.kind === "answer" ? (copies.replication ?? []).filter((rule) => isAboutLocks(exam, rule)) : [];
  if (copied.length === 0) return pass(`versioning: ${(status ?? "never enabled").toLowerCase()}`);
  const places = copied.map(({ Destination }) => Destination?.Bucket ?? "another bucket").join(", ");
  return warn(`what is written here is copied to ${places}`, LOCK_IN_ONE);
}

const LOCK_IN_ONE =
  "Lock in this bucket only, in every process, and leave the prefix of locks out of the replication: a condition holds in the bucket that it reaches, so two buckets that copy each other give one lock to two.";

function isAboutLocks({ folder }: Examination, { Status, Filter, Prefix }: ReplicationRule): boolean {
  return Status === "Enabled" && folder.startsWith(Filter?.Prefix ?? Filter?.And?.Prefix ?? Prefix ?? "");
}

const RETAINED = warn(
  "writes are taken only with a checksum, as under Object Lock with a default retention; s3-mutex sends one",
  "Each renewal leaves a version that cannot be removed until its retention is over: keep locks in a bucket without one.",
);

function rulesOf(outcome: ProbeOutcome): readonly LifecycleRule[] {
  return (outcome.kind === "answer" ? outcome.rules : undefined) ?? [];
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

function lifecycle(exam: Examination, rules: readonly LifecycleRule[], isVersioned: boolean): Finding {
  const enabled = rules.filter(({ Status, Filter, Prefix }) => {
    return Status === "Enabled" && exam.folder.startsWith(Filter?.Prefix ?? Prefix ?? "");
  });
  const expires = enabled.some(({ NoncurrentVersionExpiration }) => NoncurrentVersionExpiration !== undefined);
  if (isVersioned && !expires) {
    const remedy =
      "Each renewal leaves a version behind. `s3-mutex policy` prints the lifecycle rule that expires them.";
    return warn("the bucket keeps every version of every lock", remedy);
  }
  if (enabled.length > 0)
    return pass(`${enabled.length} lifecycle ${enabled.length === 1 ? "rule applies" : "rules apply"} to locks`);
  return pass("no lifecycle rule: free locks stay as small objects, which costs next to nothing");
}
