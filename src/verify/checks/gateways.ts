import { type Examination, isDone, lag } from "../examination/examination.js";
import type { ProbeRequests } from "../examination/probe-requests.js";
import { type Finding, fail, pass } from "../examination/report.js";

const ELSEWHERE =
  "It leads to another store or another bucket, or a cache is in between: give endpoints of one store only, and do not lock over both.";

/** Whether each further endpoint shows what was written over the first one; undefined where there is only one. */
export async function gateways(exam: Examination, lanes: readonly ProbeRequests[]): Promise<Finding | undefined> {
  const others = lanes.filter(({ gateway }) => gateway !== undefined);
  const [first] = lanes;
  if (first === undefined || others.length === 0) return undefined;
  const key = exam.newKey();
  const body = exam.newBody();
  const written = await exam.insist(() => first.put(key, body, { IfNoneMatch: "*" }));
  // A contender that was not told may have written it all the same, and then the reads show it.
  const isTold = written.kind === "answer" && isDone(written);
  for (const lane of others) {
    const shows = async () => {
      const read = await exam.insist(() => lane.get(key));
      return read.kind === "answer" && read.body === body;
    };
    const lateMs = await exam.settles(shows);
    if (lateMs === 0 || (!isTold && lateMs === Number.POSITIVE_INFINITY)) continue;
    return fail(`${lane.gateway} shows ${lag(lateMs)} what was written elsewhere`, ELSEWHERE);
  }
  const names = others.map(({ gateway }) => gateway).join(", ");
  return pass(`${names}: shows at once what was written elsewhere`);
}
