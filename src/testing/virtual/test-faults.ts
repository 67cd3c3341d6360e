import { S3MutexError } from "../../errors.js";
import { outcomeOfBadAnswer, outcomeOfFailure } from "../../store/s3/answers/outcomes.js";
import type { Transmission } from "../../store/s3/answers/transmission.js";
import { emptyPlan, type FaultPlan, FaultRules } from "../server/faults/fault-plan.js";
import type { ActiveFault, FaultRule, Faults, PageFault, StatusFault } from "../server/faults/faults.js";
import { errorAnswer, usualCode } from "../server/wire/answer.js";
import type { S3Operation, S3RequestInfo } from "../server/wire/operation.js";
import type { Fate } from "./fate.js";
import type { Operation } from "./store.js";

/** What the operations of the port are on S3. */
export const S3_OPERATION: Readonly<Record<Operation, S3Operation>> = {
  read: "GetObject",
  write: "PutObject",
  remove: "DeleteObject",
  list: "ListObjectsV2",
};

/** They are about bytes and headers, or about more of the past than is kept. */
const NOT_HERE: ReadonlySet<string> = new Set(["truncate-body", "damage-body", "change-headers", "stale-read"]);

/** The faults of a store in memory: those of the server for tests, in the same words. */
export class TestFaults implements Faults {
  readonly #rules = new FaultRules();
  #count = 0;

  /** How many rules were added since the last `clear()`, to find out why nothing arrives. */
  get count(): number {
    return this.#count;
  }

  add(rule: FaultRule): ActiveFault {
    if (NOT_HERE.has(rule?.fault)) {
      const message = `fault is "${rule.fault}": the store in memory has no such thing; use startS3Server()`;
      throw new S3MutexError("invalid-argument", message);
    }
    const added = this.#rules.add(rule);
    this.#count += 1;
    return added;
  }

  clear(): void {
    this.#rules.clear();
    this.#count = 0;
  }

  addTo(plan: FaultPlan, request: S3RequestInfo): void {
    this.#rules.addTo(plan, request);
  }
}

/** Decides what becomes of a request by the rules that are in force for all, and for its process. */
export function fateBy(faults: readonly TestFaults[], request: S3RequestInfo): Fate {
  const plan = emptyPlan();
  for (const each of faults) each.addTo(plan, request);
  const { beforeMs, afterMs, dateShiftMs, omitDate } = plan;
  return { ...kindOf(plan, request), thereMs: beforeMs, backMs: afterMs, dateShiftMs, omitsDate: omitDate };
}

function kindOf({ fate }: FaultPlan, request: S3RequestInfo): Fate {
  switch (fate?.fault) {
    case undefined:
      return { kind: "fine" };
    case "drop-before":
      return { kind: "answered", outcome: reset(request), applied: false };
    case "lose-response":
      return { kind: "answered", outcome: reset(request), applied: true };
    case "delay-apply":
      if (fate.answer === "none") return { kind: "late", byMs: fate.delayMs };
      return { kind: "answered", outcome: reset(request), applied: false, landsAfterMs: fate.delayMs };
    case "duplicate":
      return { kind: "twice" };
    case "never-answer":
      return { kind: fate.applied ? "answer-lost" : "lost" };
    case "status":
      return { kind: "answered", outcome: statusOutcome(fate, request), applied: fate.applied ?? false };
    case "page":
      return { kind: "answered", outcome: pageOutcome(fate, request), applied: fate.applied ?? false };
  }
}

function statusOutcome({ status, code = usualCode(status) }: StatusFault, request: S3RequestInfo): object {
  const { operation } = request;
  if (operation === "PutObject" && status === 409) return { kind: "conflict", busy: true };
  if (operation === "PutObject" && status === 412) return { kind: "conflict" };
  if (operation === "DeleteObject" && status === 412) return { kind: "conflict" };
  if (status === 404 && code === "NoSuchKey" && operation !== "ListObjectsV2") return { kind: "absent" };
  const { body = "" } = errorAnswer({ ...request, requestId: "test" }, { status, code });
  return judged(request, { status, text: String(body), headers: {} });
}

function pageOutcome({ status, body = "", contentType = "text/html", headers }: PageFault, request: S3RequestInfo) {
  const transmission = { status, text: body, headers: { "content-type": contentType, ...headers } };
  return status < 300
    ? outcomeOfBadAnswer(asked(request), "the answer is not one of S3", transmission)
    : judged(request, transmission);
}

function reset(request: S3RequestInfo): object {
  const error = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  return outcomeOfFailure(error, { sentAtMs: 0 }, context(request));
}

/** Judges such an answer as the adapter for S3 does. */
function judged(request: S3RequestInfo, transmission: Transmission): object {
  return outcomeOfFailure(
    new Error(`status ${transmission.status}`),
    { sentAtMs: 0, ...transmission },
    context(request),
  );
}

function context(request: S3RequestInfo) {
  return { request: asked(request), credentialsWorked: true, clockCorrected: false };
}

function asked({ operation, bucket = "", key }: S3RequestInfo) {
  const action = operation === "ListObjectsV2" ? "s3:ListBucket" : `s3:${operation}`;
  const isConditional = operation === "PutObject" || operation === "DeleteObject";
  return { action, bucket, isConditional, ...(key === undefined ? {} : { key }) };
}
