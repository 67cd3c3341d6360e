import type { LifecycleRule, ReplicationRule } from "@aws-sdk/client-s3";
import { type Examination, lag } from "../examination.js";
import type { ProbeOutcome } from "../probe-requests.js";
import { type Finding, fail, pass, skipped, warn } from "../report.js";

const KEYS = 7;
const PAGE_SIZE = 3;
/** More than a listing that ends can have. */
const PAGES_MAX = KEYS + 2;
const KEY_TRIES = 4;
const HARMLESS = "Locks do not rest on listings; `ls` and cleanup do, and may miss locks or show too many.";

const UNDELETABLE = skipped("it would leave objects behind that cannot be deleted");

/** What was just written or deleted is in a listing, or is not. */
export async function listAfterWrite(exam: Examination): Promise<Finding> {
  for (let round = 0; round < 3; round += 1) {
    // Stores are asked for folders only: some list nothing else.
    const folder = `${exam.newKey("listed")}/`;
    const key = `${folder}key`;
    exam.keys.add(key);
    const lists = async () => (await exam.list(folder)).keys?.includes(key) === true;
    await lists();
    await exam.create(key, exam.newBody());
    const shownMs = await exam.settles(lists);
    if (shownMs > 0) return warn(`a listing shows a new object ${lag(shownMs)}`, HARMLESS);
    if (!exam.mayDelete) break;
    await exam.delete(key);
    const goneMs = await exam.settles(async () => !(await lists()));
    if (goneMs > 0) return warn(`a listing leaves out a deleted object ${lag(goneMs)}`, HARMLESS);
  }
  return pass("listings show what was just written, and not what was just deleted");
}

/** Pages: all keys of the prefix, each once, in order, and an end. */
export async function listPages(exam: Examination): Promise<Finding> {
  if (!exam.mayDelete) return UNDELETABLE;
  // Not the same folder when the check is made again.
  const folder = `${exam.newKey("pages")}/`;
  const wanted = Array.from({ length: KEYS }, (_, index) => `${folder}${String.fromCharCode(97 + index)}-key`);
  // In the order of bytes, capitals go first: a store that folds case would list these elsewhere.
  wanted[0] = `${folder}Z-key`;
  const beside = `${folder.slice(0, -1)}-beside`;
  for (const key of [...wanted, beside]) exam.keys.add(key);
  await Promise.all([...wanted, beside].map((key) => exam.create(key, exam.newBody())));
  const isShown = async () => (await exam.list(folder)).keys?.length === wanted.length;
  if ((await exam.settles(isShown)) === Number.POSITIVE_INFINITY) {
    const found = (await exam.list(folder)).keys ?? [];
    const strange = found.find((key) => !key.startsWith(folder));
    if (strange !== undefined) return warn(`a listing ignores its prefix: it has ${strange}`, HARMLESS);
    const doubled = found.length > new Set(found).size;
    return warn(`a listing has ${found.length} entries for ${KEYS} objects${doubled ? ", some twice" : ""}`, HARMLESS);
  }
  const { keys, pages, endless } = await collect(exam, folder);
  if (endless) {
    const remedy = "Do not run `ls` or cleanup here: they would not come to an end. Locks do not rest on listings.";
    return fail("a listing in pages does not end: its continuation token is ignored", remedy);
  }
  const missing = wanted.filter((key) => !keys.includes(key));
  if (missing.length > 0) return warn(`a listing in pages misses ${missing.length} of ${KEYS} objects`, HARMLESS);
  if (keys.length > wanted.length) return warn("a listing in pages has entries that should not be there", HARMLESS);
  const inOrder = keys.every((key, index) => key === wanted[index]);
  const after = inOrder
    ? await insist(exam, () => exam.lane.list(folder, { startAfter: wanted[3] as string }))
    : undefined;
  const skips = after?.kind === "answer" && after.keys?.length === KEYS - 4;
  // Directory buckets list in any order and know no start-after; s3-mutex needs neither.
  const order = inOrder
    ? `in order${skips ? "" : "; start-after is not supported, nor needed"}`
    : "in no order, which is not needed";
  if (pages < 2) {
    return warn(
      "max-keys is ignored by listings: all comes in one page",
      "Nothing to do: s3-mutex does not count on it.",
    );
  }
  return pass(`${KEYS} objects in ${pages} pages, each once, ${order}`);
}

async function collect(exam: Examination, folder: string) {
  const keys: string[] = [];
  let continuation: string | undefined;
  for (let pages = 1; pages <= PAGES_MAX; pages += 1) {
    const page = await exam.list(folder, { pageSize: PAGE_SIZE, continuation });
    keys.push(...(page.keys ?? []));
    if (page.continuation === undefined) return { keys, pages, endless: false };
    // "Truncated" without a token: nobody can go on.
    if (page.continuation === "") return { keys, pages, endless: false };
    continuation = page.continuation;
  }
  return { keys, pages: PAGES_MAX, endless: true };
}

/** Names that differ are locks that differ. */
export async function keys(exam: Examination): Promise<Finding> {
  if (!exam.mayDelete) return UNDELETABLE;
  const folder = `${exam.newKey("keys")}/`;
  const pairs = [
    ["case", `${folder}Job`, `${folder}job`],
    ["double slashes", `${folder}a//b`, `${folder}a/b`],
    ["dots", `${folder}.2e.2ex`, `${folder}2e2ex`],
    ["trailing dots", `${folder}end.`, `${folder}end`],
    ["spaces and plus signs", `${folder}a b`, `${folder}a+b`],
    ["letters beyond ASCII", `${folder}\u00e9`, `${folder}e\u0301`],
  ] as const;
  const merged = await Promise.all(
    pairs.map(async ([what, one, other]) => {
      exam.keys.add(one).add(other);
      const bodies = [exam.newBody(), exam.newBody()] as const;
      await insist(exam, () => exam.lane.put(one, bodies[0], { IfNoneMatch: "*" }));
      await insist(exam, () => exam.lane.put(other, bodies[1], { IfNoneMatch: "*" }));
      const a = await insist(exam, () => exam.lane.get(one));
      const b = await insist(exam, () => exam.lane.get(other));
      const isKept = bodyOf(a) === bodies[0] && bodyOf(b) === bodies[1];
      if (isKept) return [];
      const isMerged = bodyOf(a) === bodies[1] || bodyOf(b) === bodies[0];
      return [isMerged ? what : `${what} (refused)`];
    }),
  );
  const folded = merged.flat();
  const lengths = await Promise.all([1024, 900, 700, 512, 255].map((bytes) => takes(exam, bytes)));
  const longest = Math.max(0, ...lengths);
  if (folded.includes("case")) {
    return fail(
      "keys that differ only in case are one object",
      "Use names and a prefix in lower case only, or another store.",
    );
  }
  if (folded.length > 0) {
    const remedy = "Use a keyPrefix of letters, digits, `-`, `_` and single slashes.";
    return warn(`keys are taken for one another, or refused, that have ${folded.join(", ")}`, remedy);
  }
  if (longest < 1024)
    return warn(`a key of 1,024 bytes is refused; one of ${longest} is taken`, "Use short names for locks.");
  return pass("keys are kept as they are, up to 1,024 bytes");
}

/** The length, if a key of it can be written and read. */
async function takes(exam: Examination, bytes: number): Promise<number> {
  const start = `${exam.newKey("long")}-`;
  const key = start + "x".repeat(Math.max(0, bytes - Buffer.byteLength(start)));
  exam.keys.add(key);
  const body = exam.newBody();
  await insist(exam, () => exam.lane.put(key, body, { IfNoneMatch: "*" }));
  return bodyOf(await insist(exam, () => exam.lane.get(key))) === body ? bytes : 0;
}

/** A refusal answers whether a key is taken, and so does an error that comes again and again. */
async function insist(exam: Examination, request: () => Promise<ProbeOutcome>): Promise<ProbeOutcome> {
  for (let tries = 1; ; tries += 1) {
    const outcome = await request();
    if (outcome.kind !== "unknown" || tries === KEY_TRIES) return outcome;
    await exam.stepBack(outcome, tries);
  }
}

function bodyOf(outcome: ProbeOutcome): string | undefined {
  return outcome.kind === "answer" ? outcome.body : undefined;
}

/** What a bucket keeps of objects that are rewritten all the time. */
export async function versioning(
  exam: Examination,
): Promise<{ readonly versioning: Finding; readonly lifecycle: Finding }> {
  const [versions, rules] = await Promise.all([exam.lane.versioning(), exam.lane.lifecycle()]);
  const isVersioned = versions.kind === "answer" && versions.versioning === "Enabled";
  return {
    versioning: unreadable(versions, "s3:GetBucketVersioning") ?? (await versionsKept(exam, versions)),
    lifecycle: unreadable(rules, "s3:GetLifecycleConfiguration") ?? lifecycle(exam, rulesOf(rules), isVersioned),
  };
}

async function versionsKept(exam: Examination, versions: ProbeOutcome): Promise<Finding> {
  if (exam.lane.wantsChecksums) return RETAINED;
  const status = versions.kind === "answer" ? versions.versioning : undefined;
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
  "Each renewal leaves a version that nobody can remove until its retention is over: keep locks in a bucket without one.",
);

function rulesOf(outcome: ProbeOutcome): readonly LifecycleRule[] {
  return (outcome.kind === "answer" ? outcome.rules : undefined) ?? [];
}

function unreadable(outcome: ProbeOutcome, action: string): Finding | undefined {
  if (outcome.kind === "answer") return undefined;
  if (outcome.kind === "refused" && outcome.error.code === "access-denied") {
    return warn(
      `could not be read: ${action} is denied`,
      `Allow ${action} on the bucket to have this examined; locks do not need it.`,
    );
  }
  return skipped("the store does not say");
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
