import type { StoreState } from "./buckets/store-state.js";
import { execute } from "./execute.js";
import { emptyPlan, type FaultPlan, type FaultRules, latencyOf } from "./faults/fault-plan.js";
import type { Latency, PageFault, StatusFault } from "./faults/faults.js";
import { monotonicMs } from "./faults/server-clock.js";
import type { Pending } from "./pending.js";
import type { RequestLog } from "./request-log.js";
import { type Answer, errorAnswer, usualCode } from "./wire/answer.js";
import type { S3Request } from "./wire/s3-request.js";

/** All that an exchange of request and answer goes through. */
export interface ExchangeState {
  readonly store: StoreState;
  readonly faults: FaultRules;
  readonly log: RequestLog;
  readonly pending: Pending;
  latencyMs: Latency;
}

/** The way back to the client. */
export interface Reply {
  send(answer: Answer, requestId: string, plan: FaultPlan): void;
  /** Resets the connection. */
  reset(): void;
}

/** What the client gets: an answer, a reset, or nothing for as long as it cares to wait. */
type Ending = Answer | "reset" | "silence";

async function apply(state: ExchangeState, request: S3Request, plan: FaultPlan): Promise<Answer> {
  return execute(state.store, request, plan);
}

function statusAnswer(request: S3Request, fault: StatusFault): Answer {
  const code = fault.code ?? usualCode(fault.status);
  return errorAnswer(request, { status: fault.status, code });
}

function pageAnswer({ status, body, contentType = "text/html", headers = {} }: PageFault): Answer {
  if (body === undefined) return { status, headers, isForeign: true };
  return { status, headers: { "content-type": contentType, ...headers }, body, isForeign: true };
}

/** Applies a request later and by itself, whatever becomes of the connection. */
function applyLater(state: ExchangeState, request: S3Request, plan: FaultPlan, delayMs: number): void {
  state.pending.begin();
  state.store.timers.after(delayMs, () => {
    const over = () => state.pending.end();
    // No client is left to be told that it failed.
    void apply(state, request, plan).then(over, over);
  });
}

async function meetFate(state: ExchangeState, request: S3Request, plan: FaultPlan): Promise<Ending> {
  const { fate } = plan;
  switch (fate?.fault) {
    case undefined:
      return apply(state, request, plan);
    case "drop-before":
      return "reset";
    case "lose-response":
      await apply(state, request, plan);
      return "reset";
    case "delay-apply":
      applyLater(state, request, plan, fate.delayMs);
      return fate.answer === "none" ? "silence" : "reset";
    case "duplicate":
      await apply(state, request, plan);
      return apply(state, request, plan);
    case "never-answer":
      if (fate.applied) await apply(state, request, plan);
      return "silence";
    case "status":
      if (fate.applied) await apply(state, request, plan);
      return statusAnswer(request, fate);
    case "page":
      if (fate.applied) await apply(state, request, plan);
      return pageAnswer(fate);
  }
}

function record(state: ExchangeState, request: S3Request, plan: FaultPlan, status: number | undefined): void {
  const { operation, bucket, key } = request;
  const durationMs = monotonicMs() - request.receivedAtMs;
  state.log.finished({
    operation,
    ...(bucket === undefined ? {} : { bucket }),
    ...(key === undefined ? {} : { key }),
    ...(status === undefined ? {} : { status }),
    faults: plan.names,
    at: Math.round(Date.now() - durationMs),
    durationMs,
  });
}

/**
 * Reports a bug of this server, a full disk, or a test's own function that throws: all to be read in the test's output. Not the stack: a
 * client that can reach the server would read where it runs.
 */
function failedAnswer(request: S3Request, error: unknown): Answer {
  const message = String(error);
  return errorAnswer(request, { status: 500, code: "InternalError", message });
}

async function endingOf(state: ExchangeState, request: S3Request, plan: FaultPlan): Promise<Ending> {
  try {
    state.faults.addTo(plan, request);
    const halfMs = latencyOf(state.latencyMs, request) / 2;
    const beforeMs = halfMs + plan.beforeMs;
    const afterMs = halfMs + plan.afterMs;
    if (beforeMs > 0) await state.store.timers.sleep(beforeMs);
    const ending = await meetFate(state, request, plan);
    if (afterMs > 0) await state.store.timers.sleep(afterMs);
    return ending;
  } catch (error) {
    return failedAnswer(request, error);
  }
}

/** Sends an answer, or that it failed: what was stored or configured may not make a header that can be sent. */
function send(answer: Answer, request: S3Request, reply: Reply, plan: FaultPlan): void {
  try {
    reply.send(answer, request.requestId, plan);
  } catch (error) {
    reply.send(failedAnswer(request, error), request.requestId, emptyPlan());
  }
}

/** Takes a request that was received whole to its end. */
export async function exchange(state: ExchangeState, request: S3Request, reply: Reply): Promise<void> {
  state.log.received(request.operation);
  state.pending.begin();
  const plan = emptyPlan();
  const ending = await endingOf(state, request, plan);
  if (ending === "reset") reply.reset();
  else if (ending !== "silence") send(ending, request, reply, plan);
  state.pending.end();
  record(state, request, plan, typeof ending === "string" ? undefined : ending.status);
}
