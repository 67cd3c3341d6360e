import { context, type Span, SpanStatusCode, type TracerProvider, trace } from "@opentelemetry/api";
import type { S3MutexDiagnostics } from "../index.js";
import { VERSION } from "../version.js";
import type { Handlers } from "./handlers.js";

/** Spans that have begun, by the ids of the acquisitions. */
interface OpenSpans {
  readonly acquiring: Map<string, { readonly span: Span; readonly parent: ReturnType<typeof context.active> }>;
  readonly holding: Map<string, Span>;
}

/**
 * Makes a span for each wait and one for each hold, both children of what the caller was doing when it asked. That another caller has
 * the lock is not an error; a store that fails, a deadlock and a loss are.
 */
export function spanHandlers(provider: TracerProvider | undefined): { readonly handlers: Handlers; end(): void } {
  const tracer = (provider ?? trace).getTracer("s3-mutex", VERSION);
  const open: OpenSpans = { acquiring: new Map(), holding: new Map() };
  const handlers: Handlers = {
    "s3-mutex:acquire:start": (start) => {
      const parent = context.active();
      const span = tracer.startSpan("acquire lock", { attributes: attributesOf(start) }, parent);
      open.acquiring.set(start.acquisitionId, { span, parent });
    },
    "s3-mutex:enqueued": ({ acquisitionId, position }) => {
      const attributes = { "s3_mutex.queue.position": position };
      open.acquiring.get(acquisitionId)?.span.addEvent("enqueued", attributes);
    },
    "s3-mutex:acquire:end": (end) => {
      const { acquisitionId } = end;
      const acquiring = open.acquiring.get(acquisitionId);
      if (acquiring === undefined) return;
      open.acquiring.delete(acquisitionId);
      endWait(acquiring.span, end);
    },
    // What was restored comes without a wait.
    "s3-mutex:hold:start": (start) => {
      const { acquisitionId, fencingToken } = start;
      const acquiring = open.acquiring.get(acquisitionId);
      const links = acquiring === undefined ? [] : [{ context: acquiring.span.spanContext() }];
      const attributes = { ...attributesOf(start), "s3_mutex.fencing_token": fencingToken };
      const parent = acquiring?.parent ?? context.active();
      open.holding.set(acquisitionId, tracer.startSpan("hold lock", { attributes, links }, parent));
    },
    "s3-mutex:renewed": ({ acquisitionId }) => void open.holding.get(acquisitionId)?.addEvent("renewed"),
    "s3-mutex:lost": ({ acquisitionId, reason, error }) => {
      const span = open.holding.get(acquisitionId);
      span?.setAttributes({ "error.type": "lost", "s3_mutex.loss.reason": reason });
      span?.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    },
    "s3-mutex:released": ({ acquisitionId }) => {
      open.holding.get(acquisitionId)?.setAttribute("s3_mutex.outcome", "released");
    },
    // After one of the two before, or alone where the release was not answered, or where it is not renewed and the lease is over.
    "s3-mutex:hold:end": ({ acquisitionId }) => {
      open.holding.get(acquisitionId)?.end();
      open.holding.delete(acquisitionId);
    },
  };
  const end = () => {
    for (const { span } of open.acquiring.values()) span.end();
    for (const span of open.holding.values()) span.end();
    open.acquiring.clear();
    open.holding.clear();
  };
  return { handlers, end };
}

function attributesOf({
  origin,
  lockName,
  acquisitionId,
  mode,
  priority,
}: S3MutexDiagnostics["s3-mutex:acquire:start" | "s3-mutex:hold:start"]) {
  return {
    "aws.s3.bucket": origin.bucketName,
    "s3_mutex.lock.name": lockName,
    "s3_mutex.acquisition.id": acquisitionId,
    "s3_mutex.owner.id": origin.ownerId,
    "s3_mutex.mode": mode,
    "s3_mutex.priority": priority,
  };
}

/** Outcomes that callers ask for: by a time-out, a signal of their own, or by closing. */
const NO_ERRORS: ReadonlySet<string> = new Set(["acquired", "timed-out", "aborted", "closed"]);

function endWait(span: Span, { outcome, error }: S3MutexDiagnostics["s3-mutex:acquire:end"]): void {
  span.setAttribute("s3_mutex.outcome", outcome);
  if (!NO_ERRORS.has(outcome)) {
    span.setAttribute("error.type", outcome);
    span.setStatus({ code: SpanStatusCode.ERROR, ...(error instanceof Error ? { message: error.message } : {}) });
  }
  span.end();
}
