import type { S3ServiceException } from "@aws-sdk/client-s3";
import type { RefusedOutcome } from "../../store/object-store.js";
import { silentError } from "../examination/answering.js";
import { type Examination, lag } from "../examination/examination.js";
import type { ProbeOutcome } from "../examination/probe-answer.js";
import { isDone } from "../examination/probe-answer.js";
import type { ProbeRequests } from "../examination/probe-requests.js";
import { type Finding, fail, pass } from "../examination/report.js";
import { UNKNOWN_ETAG } from "./conditional-writes.js";

const ELSEWHERE =
  "It leads to another store or another bucket, or a cache is in between: give endpoints of one store only, and do not lock over both.";
const DENIED =
  "Give this identity the same rights over each endpoint: s3-mutex reads, writes and deletes over all of them.";

const DROPPED =
  "Do not lock over it: who comes that way overwrites every other holder. Have it pass If-Match and If-None-Match on, or leave it out, in all processes.";

/**
 * Checks that each further endpoint takes writes, shows what was written over the first one, and honours conditions as it does; undefined
 * where there is only one.
 */
export async function gateways(exam: Examination, lanes: readonly ProbeRequests[]): Promise<Finding | undefined> {
  const others = lanes.filter(({ gateway }) => gateway !== undefined);
  const [first] = lanes;
  if (first === undefined || others.length === 0) return undefined;
  const key = exam.newKey();
  const body = exam.newBody();
  const written = await stillTakes(exam, first, key, body);
  // A write whose answer was lost may have been done all the same, and then the reads show it.
  const isTold = written.kind === "answer" && isDone(written);
  for (const lane of others) {
    const denial = await denialBy(exam, lane);
    if (denial !== undefined) {
      await stillTakes(exam, first);
      return fail(`the gateway ${lane.gateway} refuses what the store allows: ${denial}`, DENIED);
    }
    const shows = async () => {
      const read = await exam.insist(() => lane.get(key));
      return read.kind === "answer" && read.body === body;
    };
    const lateMs = await exam.settles(shows);
    if (lateMs === 0 || (!isTold && lateMs === Number.POSITIVE_INFINITY)) continue;
    return fail(`the gateway ${lane.gateway} shows ${lag(lateMs)} what was written elsewhere`, ELSEWHERE);
  }
  const oneWay = await ignoredOnOneWay(exam, [first, ...others]);
  if (oneWay !== undefined) return fail(oneWay, DROPPED);
  const names = others.map(({ gateway }) => gateway).join(", ");
  return pass(`${names}: shows at once what was written elsewhere`);
}

/**
 * Finds a condition that is ignored over one endpoint and honoured over another one. That is the first one's fault: a client that goes that
 * way overwrites all others. Where all ignore it, it is the store's, and other checks say so.
 */
async function ignoredOnOneWay(exam: Examination, endpoints: readonly ProbeRequests[]): Promise<string | undefined> {
  const [first] = endpoints;
  const conditions = [
    ["If-None-Match: *", { IfNoneMatch: "*" }],
    ["If-Match", exam.ifMatch(UNKNOWN_ETAG)],
  ] as const;
  for (const [what, condition] of conditions) {
    const key = exam.newKey();
    await exam.insist(() => (first as ProbeRequests).put(key, exam.newBody(), { IfNoneMatch: "*" }));
    const ignoring: ProbeRequests[] = [];
    for (const lane of endpoints) {
      const write = await exam.insist(() => lane.put(key, exam.newBody(), condition));
      if (write.kind === "refused" && write.error.code === "access-denied")
        throw silentError(write, lane.gateway, "still");
      if (write.kind === "answer" && isDone(write)) ignoring.push(lane);
    }
    const [odd] = ignoring;
    if (odd === undefined || ignoring.length === endpoints.length) continue;
    if (odd.gateway !== undefined)
      return `the gateway ${odd.gateway} ignores ${what}, which the store honours otherwise`;
    const other = endpoints.find((lane) => !ignoring.includes(lane));
    return `the store's own endpoint ignores ${what}, which the gateway ${other?.gateway} honours`;
  }
  return undefined;
}

/** Writes over the first endpoint, and tells the answer. @throws where the store has begun to refuse them: then no gateway is the reason */
async function stillTakes(
  exam: Examination,
  first: ProbeRequests,
  key = exam.newKey(),
  body = exam.newBody(),
): Promise<ProbeOutcome> {
  const written = await exam.insist(() => first.put(key, body, { IfNoneMatch: "*" }));
  if (written.kind === "refused") throw silentError(written, undefined, "still");
  return written;
}

/** Tells what a gateway says in place of taking a write or showing it. @throws where it does not answer writes at all. */
async function denialBy(exam: Examination, lane: ProbeRequests): Promise<string | undefined> {
  const key = exam.newKey();
  const write = await exam.insist(() => lane.put(key, exam.newBody(), { IfNoneMatch: "*" }));
  if (write.kind === "unknown") throw silentError(write, lane.gateway, "at first");
  if (write.kind === "refused") return denial("s3:PutObject", write);
  const read = await exam.insist(() => lane.get(key));
  // Where it leads elsewhere, what tidies up in the end does not come by.
  await exam.insist(() => lane.delete(key));
  return read.kind === "refused" ? denial("s3:GetObject", read) : undefined;
}

/** Describes a denial, without the remedies for a policy: they are about one key, gone by then, that the bucket's policy allows. */
function denial(action: string, { error, about }: RefusedOutcome): string {
  if (about !== "permissions") return error.message;
  const { name = "", $metadata } = error.cause as Partial<S3ServiceException>;
  return `${action} is answered ${$metadata?.httpStatusCode} ${name}`.trimEnd();
}
