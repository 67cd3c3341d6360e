import { expect, test } from "vitest";
import { realEffects } from "../../src/runtime/base/effects.js";
import { askForVersions, versioning } from "../../src/verify/checks/bucket.js";
import { type Refusal, startGate } from "../store/gate.js";
import { examinationOf } from "./examine.js";

const BUCKET = "locks";

const filterOf = (inner: string) => `<Filter>${inner}</Filter>`;
const under = (prefix: string) => filterOf(`<Prefix>${prefix}</Prefix>`);
const underAndTagged = (prefix: string) =>
  filterOf(`<And><Prefix>${prefix}</Prefix><Tag><Key>a</Key><Value>b</Value></Tag></And>`);
const TAGGED = filterOf("<Tag><Key>a</Key><Value>b</Value></Tag>");

function copying(filter: string, status = "Enabled"): Refusal {
  const rule = `<Rule><Status>${status}</Status><Priority>1</Priority>${filter}<Destination><Bucket>arn:aws:s3:::the-other</Bucket></Destination></Rule>`;
  const document = `<ReplicationConfiguration><Role>r</Role>${rule}</ReplicationConfiguration>`;
  return { status: 200, code: "", document };
}

const EXPIRES = "<Expiration><Days>1</Days></Expiration>";
const EXPIRES_OLD = "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>";
const EXPIRES_MARKERS = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";

function expiring(...rules: readonly string[]): Refusal {
  const inner = rules.map((rule) => `<Rule><Status>Enabled</Status>${rule}</Rule>`).join("");
  return { status: 200, code: "", document: `<LifecycleConfiguration>${inner}</LifecycleConfiguration>` };
}

interface Answers {
  readonly replication?: Refusal;
  readonly lifecycle?: Refusal;
  readonly versioned?: boolean;
  readonly keyPrefix?: string;
  /** So many answers of each kind are lost in an overload first. */
  readonly overloadedFor?: number;
  readonly wantsChecksums?: boolean;
}

/** Finds what there is to say of a bucket that answers so. */
async function found(answers: Answers) {
  const { versioned = true, keyPrefix = "locks/", overloadedFor = 0 } = answers;
  const turns = new Map<string, number>();
  const gate = await startGate(
    ({ method, url, headers }) => {
      if (answers.wantsChecksums && method === "PUT" && headers["content-md5"] === undefined)
        return {
          status: 400,
          code: "InvalidRequest",
          message: "Missing required header for this request: Content-MD5",
        };
      const asked = ["versioning", "replication", "lifecycle"].find((name) => url.searchParams.has(name));
      if (asked === undefined) return undefined;
      turns.set(asked, (turns.get(asked) ?? 0) + 1);
      if ((turns.get(asked) ?? 0) <= overloadedFor) return { status: 503, code: "SlowDown" };
      return asked === "versioning" ? undefined : answers[asked as "replication" | "lifecycle"];
    },
    versioned ? { quirks: { versioning: "Enabled" } } : {},
  );
  const { exam } = examinationOf(gate.endpoint, BUCKET);
  await exam.create(exam.newKey(), exam.newBody());
  const versions = await askForVersions(exam, undefined);
  return { ...(await versioning(exam, versions, false, keyPrefix)), gate, exam };
}

const COPIED = { verdict: "warn", detail: expect.stringContaining("arn:aws:s3:::the-other") };
const ALONE = { verdict: "pass", detail: "versioning: enabled" };

test.each([
  ["all", under("")],
  ["all, without a filter", ""],
  ["what begins like locks", under("lo")],
  ["locks", under("locks/")],
  ["some locks", under("locks/team/")],
  ["semaphores", under("semaphores/")],
  ["some semaphores", under("semaphores/locks/pool")],
  ["results of runOnce", under("once/")],
  ["some results of runOnce", under("once/locks/daily/")],
  ["some locks, as older rules say it", "<Prefix>locks/team/</Prefix>"],
  ["some locks that have a tag", underAndTagged("locks/team/")],
  ["what has a tag", TAGGED],
])("S13: a bucket of which a rule copies %s is warned of", async (_, filter) => {
  expect((await found({ replication: copying(filter) })).versioning).toMatchObject(COPIED);
});

test.each([
  ["other objects", copying(under("logs/"))],
  ["other objects that have a tag", copying(underAndTagged("logs/"))],
  ["locks, and is off", copying(under("locks/"), "Disabled")],
  ["results of other locks", copying(under("once/other/"))],
  ["semaphores of other locks", copying(under("semaphores/other/"))],
])("S13: a rule about %s is not a reason to warn", async (_, replication) => {
  expect((await found({ replication })).versioning).toEqual(ALONE);
});

test("S13: a prefix of locks of one's own is what rules are compared with", async () => {
  const replication = copying(under("once/team/"));
  expect((await found({ replication, keyPrefix: "team/" })).versioning).toMatchObject(COPIED);
  expect((await found({ replication, keyPrefix: "" })).versioning).toMatchObject(COPIED);
  expect((await found({ replication, keyPrefix: "other/" })).versioning).toEqual(ALONE);
});

test("S13: what is copied, and what to leave out of it, is named", async () => {
  const { detail, remedy } = (await found({ replication: copying(under("semaphores/")) })).versioning;
  expect(detail).toBe("what is written under semaphores/ is copied to arn:aws:s3:::the-other");
  expect(remedy).toContain("leave locks/, once/locks/ and semaphores/locks/ out of the replication");
});

test("S13: a bucket that takes writes only with a checksum is warned of for being copied, too", async () => {
  const { detail } = (await found({ replication: copying(under("")), wantsChecksums: true })).versioning;
  expect(detail).toMatch(/copied to arn:aws:s3:::the-other.*Object Lock/);
});

test("S13: whether a bucket is copied must be read to be passed", async () => {
  expect((await found({ replication: { status: 403, code: "AccessDenied" } })).versioning).toEqual({
    verdict: "warn",
    detail: "could not be read: s3:GetReplicationConfiguration is denied",
    remedy: expect.stringMatching(
      /Allow s3:GetReplicationConfiguration on the bucket.*two buckets that copy each other/,
    ),
  });
});

test.each([
  ["another refusal", { status: 403, code: "AllAccessDisabled" }, /could not be read: .*AllAccessDisabled/],
  ["an error", { status: 500, code: "InternalError" }, /could not be read: .*500 InternalError/],
  ["a page", { status: 403, code: "", document: "<html>blocked</html>" }, /could not be read: .*blocked/],
])("S13: %s in place of it is warned of in its own words", async (_, replication, detail) => {
  expect((await found({ replication })).versioning).toMatchObject({
    verdict: "warn",
    detail: expect.stringMatching(detail),
  });
});

test.each([
  ["has none", { status: 404, code: "ReplicationConfigurationNotFoundError" }],
  ["has no such setting", { status: 501, code: "NotImplemented" }],
  ["has no such method", { status: 405, code: "MethodNotAllowed" }],
  ["does not know the question", { status: 400, code: "InvalidRequest" }],
  ["has no such route", { status: 404, code: "", document: "404 page not found" }],
])("S13: a store that %s copies nothing", async (_, replication) => {
  expect((await found({ replication })).versioning).toEqual(ALONE);
});

test("what is asked of the bucket is asked again where the store had too much to do", async () => {
  const { versioning, lifecycle } = await found({
    replication: copying(under("")),
    lifecycle: expiring(`${under("locks/")}${EXPIRES_OLD}`),
    overloadedFor: 1,
  });
  expect(versioning).toMatchObject(COPIED);
  expect(lifecycle).toMatchObject({ verdict: "pass" });
});

test("a store that lets such a question run into its time-out is not asked it again", async () => {
  const { exam } = await found({ versioned: false });
  const never = { kind: "unknown", error: new Error("no answer"), throttled: false, sent: true } as never;
  let nowMs = 0;
  let asked = 0;
  const lifecycleAsked = async () => {
    asked += 1;
    nowMs += 6000;
    return never;
  };
  Object.defineProperty(exam, "lane", { value: { lifecycle: lifecycleAsked } });
  Object.defineProperty(exam, "effects", { value: { ...realEffects, monotonicMs: () => nowMs } });
  expect((await versioning(exam, never, false, "locks/")).lifecycle).toMatchObject({ verdict: "skipped" });
  expect(asked).toBe(1);
});

test.each([
  ["all objects", `${under("")}${EXPIRES}`],
  ["semaphores", `${under("semaphores/")}${EXPIRES}`],
  ["some semaphores", `${under("semaphores/locks/pool")}${EXPIRES}`],
  ["results of runOnce", `${under("once/")}${EXPIRES}`],
  ["some results of runOnce", `<Prefix>once/locks/daily/</Prefix>${EXPIRES}`],
])("C8: a rule that expires %s is warned of", async (_, rule) => {
  const { lifecycle } = await found({ lifecycle: expiring(rule), versioned: false });
  expect(lifecycle).toMatchObject({
    verdict: "warn",
    detail: expect.stringMatching(/^a lifecycle rule expires .*(results of runOnce|semaphores)/),
    remedy: expect.stringContaining("once/locks/ and semaphores/locks/"),
  });
});

test.each([
  ["expires locks", [`${under("locks/")}${EXPIRES}`], "1 lifecycle rule applies to locks"],
  ["expires some locks", [`${under("locks/team/")}${EXPIRES}`], "1 lifecycle rule applies to locks"],
  ["expires old versions of semaphores", [`${under("semaphores/")}${EXPIRES_OLD}`], /^no lifecycle rule for locks/],
  ["removes markers", [`${under("")}${EXPIRES_MARKERS}`], "1 lifecycle rule applies to locks"],
  ["is about what has a tag", [`${underAndTagged("once/")}${EXPIRES}`, `${TAGGED}${EXPIRES}`], /^no lifecycle rule/],
  ["is about other objects", [`${underAndTagged("logs/")}${EXPIRES}`], /^no lifecycle rule/],
])("C8: a rule that %s is not a reason to warn", async (_, rules, detail) => {
  const { lifecycle } = await found({ lifecycle: expiring(...rules), versioned: false });
  expect(lifecycle).toEqual({
    verdict: "pass",
    detail: typeof detail === "string" ? detail : expect.stringMatching(detail),
  });
});

test.each([
  ["some locks only", `${under("locks/team/")}${EXPIRES_OLD}`],
  ["semaphores only", `${under("semaphores/")}${EXPIRES_OLD}`],
  ["other objects that have a tag", `${underAndTagged("logs/")}${EXPIRES_OLD}`],
  ["locks that have a tag, which they have not", `${underAndTagged("locks/")}${EXPIRES_OLD}`],
])("a versioned bucket in which old versions of %s expire is warned of", async (_, rule) => {
  const { lifecycle } = await found({ lifecycle: expiring(rule) });
  expect(lifecycle).toMatchObject({ verdict: "warn", detail: "the bucket keeps every version of every lock" });
});

test("where old versions of locks expire and those of semaphores do not, that is said", async () => {
  const { lifecycle } = await found({ lifecycle: expiring(`${under("locks/")}${EXPIRES_OLD}`) });
  expect(lifecycle).toEqual({
    verdict: "pass",
    detail: "1 lifecycle rule applies to locks; old versions of semaphores (semaphores/locks/) stay",
  });
  const both = expiring(`${under("locks/")}${EXPIRES_OLD}`, `${under("semaphores/")}${EXPIRES_OLD}`);
  expect((await found({ lifecycle: both })).lifecycle).toEqual({
    verdict: "pass",
    detail: "1 lifecycle rule applies to locks",
  });
});
