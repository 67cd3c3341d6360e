import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import { S3MutexError } from "../errors.js";
import { type Effects, quietLogger } from "../runtime/base/effects.js";
import { hearRejection } from "../runtime/base/listeners.js";
import { logTo } from "../runtime/base/logger.js";
import { MAX_REQUEST_MS, requestTimeoutMs } from "../runtime/base/timing.js";
import { createS3Client } from "../store/s3/client/client.js";
import type { StoreHeaders } from "../store/s3/client/store-headers.js";
import { endpointUrlOf } from "../store/s3/client/way.js";
import { askForVersions, versioning } from "./checks/bucket.js";
import { clockOffset, connections, date, errors, latency } from "./checks/clock.js";
import {
  createTwice,
  etagForm,
  missingIfMatch,
  olderObject,
  staleDelete,
  staleIfMatch,
} from "./checks/conditional-writes.js";
import { gateways } from "./checks/gateways.js";
import { keys } from "./checks/keys.js";
import { sampleLateness } from "./checks/late-date.js";
import { listAfterWrite, listPages } from "./checks/listings.js";
import { permissions } from "./checks/permissions.js";
import { bodies, etags, head, notModified, readAfterWrite } from "./checks/reads.js";
import { slowWrites } from "./checks/slow-writes.js";
import { type Check, conclude } from "./conclude.js";
import { eachMustAnswer } from "./examination/answering.js";
import { Examination } from "./examination/examination.js";
import { Observations } from "./examination/observations.js";
import { ProbeRequests } from "./examination/probe-requests.js";
import {
  type Finding,
  type StoreCheck,
  type StoreCheckId,
  type StoreProgress,
  type StoreReport,
  UNSAFE_WITH_VERSIONS,
  worstOf,
} from "./examination/report.js";
import { askThenTidyUp } from "./examination/stopping.js";
import type { Thoroughness } from "./examination/thoroughness.js";
import { lostUpdates, writeCeiling } from "./races/lost-updates.js";
import { createRace, deleteRace, replaceRace } from "./races/races.js";

/** What to examine, and how; checked by the caller. */
export interface VerifyPlan {
  readonly clients: readonly S3Client[];
  /** Further ways to the same store, such as a second gateway. */
  readonly otherClients?: readonly S3Client[] | undefined;
  readonly bucketName: string;
  readonly keyPrefix: string;
  readonly storeHeaders?: StoreHeaders | undefined;
  readonly leaseMs: number;
  readonly toleranceMs: number;
  readonly thoroughness: Thoroughness;
  /** Only what locking is refused for. */
  readonly isEssential: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onCheck?: ((check: StoreCheck, progress: StoreProgress) => void) | undefined;
}

const FORM: Check = ["etag-form", "If-Match with the current ETag", etagForm];

const ESSENTIAL: readonly Check[] = [
  ["create-twice", "Create twice", createTwice],
  ["stale-if-match", "Write with an outdated ETag", staleIfMatch],
  ["missing-if-match", "If-Match without an object", missingIfMatch],
  ["etags", "An ETag for each version", etags],
  ["read-after-write", "Read after write", readAfterWrite],
  ["not-modified", "Reads with If-None-Match", notModified],
];

const FURTHER: readonly Check[] = [
  ["stale-delete", "Delete with an outdated ETag", staleDelete],
  ["bodies", "Bodies", bodies],
  ["head", "HEAD", head],
  ["keys", "Keys", keys],
  ["list-after-write", "List after write", listAfterWrite],
  ["list-pages", "Listings in pages", listPages],
];

const ESSENTIAL_RACES: readonly Check[] = [
  ["create-race", "Race to create", createRace],
  ["replace-race", "Race to replace", replaceRace],
];

const FURTHER_RACES: readonly Check[] = [
  ["delete-race", "Race of delete and replace", deleteRace],
  ["lost-updates", "Lost updates", lostUpdates],
];

const LAST: readonly Check[] = [["older-object", "Conditions on an older object", olderObject]];

const QUIET: Check = ["write-ceiling", "Writes to one key", writeCeiling];

const PERMISSIONS = ["put-permission", "get-permission", "list-permission", "delete-permission"] as const;

/** Checks that run at once end in any order; a report has them always in this one. */
const ORDER: readonly StoreCheckId[] = [
  ...PERMISSIONS,
  "gateways",
  ...[FORM, ...ESSENTIAL, ...FURTHER, ...ESSENTIAL_RACES, ...FURTHER_RACES, ...LAST, QUIET].map(([id]) => id),
  ...(["slow-write", "cut-write", "connections", "latency", "errors", "date", "clock-offset"] as const),
  ...(["versioning", "lifecycle", "clean-up"] as const),
];

/** A little more than any lock would wait, so that what is too slow is measured rather than called unanswered. */
const REQUEST_MS = 1.2 * MAX_REQUEST_MS;
/** Different sockets at least, and different gateways where their name has several addresses. */
const CLIENTS = 3;

/** For `verify: "once"`: a second or two before the first lock. */
export const QUICKLY = {
  thoroughness: { rounds: { min: 5, max: 60 }, totalMs: 2000, contenders: 6, readRounds: 2 },
  isEssential: true,
} as const;

export function clientsOf(config: S3ClientConfig): readonly S3Client[] {
  return Array.from({ length: CLIENTS }, () => createS3Client(config));
}

/** Puts all questions to a store, removes what it left there, and says what was found. */
export async function examine(plan: VerifyPlan, effects: Effects): Promise<StoreReport> {
  const startedAtMs = effects.monotonicMs();
  const observations = new Observations();
  const lanes = await lanesTo(plan, effects, observations);
  const own = lanes.filter(({ gateway }) => gateway === undefined);
  const exam = new Examination(effects, observations, plan.thoroughness, own, plan);
  const checks: StoreCheck[] = [];
  const total = own.length === lanes.length ? ORDER.length - 1 : ORDER.length;
  const tell = (id: StoreCheckId, title: string, finding: Finding): void => {
    const check: StoreCheck = { id, title, ...finding };
    checks.push(check);
    const elapsedMs = Math.round(effects.monotonicMs() - startedAtMs);
    hearRejection(plan.onCheck?.(check, { done: checks.length, total, elapsedMs }), "onCheck", logTo(quietLogger));
  };
  const tidied = (finding: Finding) => tell("clean-up", "Clean-up", finding);
  await askThenTidyUp(exam, { lanes, asking: ask(exam, plan, lanes, tell), signal: plan.signal, tidied });
  const elapsedMs = Math.round(effects.monotonicMs() - startedAtMs);
  const { bucketName, keyPrefix } = plan;
  const ordered = ORDER.flatMap((id) => checks.filter((check) => check.id === id));
  return {
    verdict: worstOf(checks),
    bucketName,
    keyPrefix,
    checks: ordered,
    requests: observations.requests,
    elapsedMs,
  };
}

async function lanesTo(plan: VerifyPlan, effects: Effects, observations: Observations): Promise<ProbeRequests[]> {
  const { bucketName: bucket, storeHeaders: headers, otherClients = [] } = plan;
  const laneOver = (client: S3Client, gateway?: string) =>
    new ProbeRequests({ client, bucket, headers, effects, observations, timeoutMs: REQUEST_MS, gateway });
  const others = otherClients.map(async (client, index) =>
    laneOver(client, (await endpointUrlOf(client)) ?? `otherClients[${index}]`),
  );
  return [...plan.clients.map((client) => laneOver(client)), ...(await Promise.all(others))];
}

type Tell = (id: StoreCheckId, title: string, finding: Finding) => void;

async function ask(exam: Examination, plan: VerifyPlan, lanes: readonly ProbeRequests[], tell: Tell): Promise<void> {
  const others = lanes.filter(({ gateway }) => gateway !== undefined);
  // What is wrong with all, such as credentials that are missing, is not the gateway's.
  if (others.length > 0) await eachMustAnswer(exam, lanes, "at first");
  const allowed = await permissions(exam, plan);
  for (const id of PERMISSIONS) tell(id, `Permission to ${id.replace("-permission", "").toUpperCase()}`, allowed[id]);
  if (allowed["put-permission"].verdict === "fail" || allowed["get-permission"].verdict === "fail") return;
  const reached = await gateways(exam, lanes);
  if (reached !== undefined) tell("gateways", "Gateways", reached);
  if (reached?.verdict === "fail") return;
  exam.raceAcross(lanes, () => eachMustAnswer(exam, lanes, "still"));

  const versions = await askForVersions(exam, allowed.shownVersion);
  const failed = new Set<StoreCheckId>();
  const run = async (check: Check): Promise<void> => {
    const finding = await conclude(exam, check, plan.isEssential);
    if (finding.verdict === "fail") {
      await exam.allMustAnswer();
      failed.add(check[0]);
    }
    const isAboutVersions = exam.versions !== undefined && finding.verdict === "fail" && CONDITIONS.includes(check[0]);
    // Another bucket of the same store may be safe.
    tell(check[0], check[1], isAboutVersions ? { ...finding, remedy: UNSAFE_WITH_VERSIONS } : finding);
  };
  await askAboutConditions(exam, plan, run, failed);
  if (plan.isEssential) return;
  if (!failed.has(FORM[0])) await askAboutTheRest(exam, plan, run, tell);
  await exam.allMustAnswer();
  const isUnsafe = CONDITIONS.some((id) => failed.has(id));
  const bucket = await versioning(exam, versions, isUnsafe, plan.keyPrefix);
  tell("versioning", "Versioning", bucket.versioning);
  tell("lifecycle", "Lifecycle", bucket.lifecycle);
}

async function askAboutConditions(
  exam: Examination,
  plan: VerifyPlan,
  run: (check: Check) => Promise<void>,
  failed: ReadonlySet<StoreCheckId>,
): Promise<void> {
  await run(FORM);
  const isUsable = !failed.has(FORM[0]);
  if (!isUsable) exam.form = undefined;
  // Each on keys of its own: one after the other only where that is what is asked about.
  const sequential = plan.isEssential ? ESSENTIAL : [...ESSENTIAL, ...FURTHER];
  // All are over before anything is tidied up, also when one fails.
  const ends = await Promise.allSettled((isUsable ? sequential : ESSENTIAL.slice(0, 1)).map(run));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  exam.observations.phase = "race";
  for (const race of plan.isEssential || !isUsable ? ESSENTIAL_RACES : [...ESSENTIAL_RACES, ...FURTHER_RACES])
    await run(race);
}

async function askAboutTheRest(
  exam: Examination,
  plan: VerifyPlan,
  run: (check: Check) => Promise<void>,
  tell: Tell,
): Promise<void> {
  exam.observations.phase = "quiet";
  await run(QUIET);
  exam.observations.phase = "checks";
  for (const check of LAST) await run(check);
  const [slow] = await Promise.all([slowWrites(exam), sampleLateness(exam)]);
  tell("slow-write", "Reads during a slow write", slow.reads);
  tell("cut-write", "A write that is cut short", slow.cut);
  tell("connections", "Connections", connections(exam));
  tell("latency", "Latency", latency(exam, requestTimeoutMs(plan.leaseMs)));
  tell("errors", "Errors", errors(exam));
  tell("date", "Date of answers", date(exam, plan.toleranceMs));
  tell("clock-offset", "Clock", clockOffset(exam));
}

/** What stands for two holders at once, where it fails. */
const CONDITIONS: readonly StoreCheckId[] = [FORM, ...ESSENTIAL, ...ESSENTIAL_RACES, ...FURTHER_RACES, ...LAST].map(
  ([id]) => id,
);

/** Says what locking is refused with; undefined for a store that may be locked on. */
export function refusalOf(report: StoreReport): S3MutexError | undefined {
  const faults = report.checks.filter(({ verdict }) => verdict === "fail");
  const denied = faults.find(({ id }) => id.endsWith("-permission"));
  const worst = faults.find(({ id }) => !id.endsWith("-permission"));
  if (worst !== undefined) {
    const message = `This store cannot hold locks. ${worst.title}: ${worst.detail}. ${worst.remedy ?? ""}`.trimEnd();
    return new S3MutexError("store-unsafe", `${message} (\`s3-mutex doctor\` has the details.)`);
  }
  if (denied === undefined) return undefined;
  // Nothing was examined without it, so there is nothing to remember.
  const message =
    `The store could not be examined (verify: "once"): ${denied.detail}. ${denied.remedy ?? ""}`.trimEnd();
  return new S3MutexError("access-denied", message);
}
