import { refuseUnknownOptions } from "../../arguments/option-names.js";
import { S3MutexError } from "../../errors.js";
import { Storage } from "./buckets/storage.js";
import { Versions } from "./buckets/versions.js";
import { directAccess } from "./direct-access.js";
import type { ExchangeState } from "./exchange.js";
import { FaultRules, requireInRange, TIMER_MAX_MS } from "./faults/fault-plan.js";
import { QUIRKS, type StoreQuirks } from "./faults/quirks.js";
import { ServerClock, Timers } from "./faults/server-clock.js";
import { WriteRate } from "./faults/write-rate.js";
import { closeHttpFront, createHttpFront, listen } from "./http-front.js";
import { Pending } from "./pending.js";
import { RequestLog } from "./request-log.js";
import { type S3Server, type S3ServerOptions, SERVER_OPTIONS } from "./server-options.js";

const PAGE_SIZE_MAX = 1000;
const RECENT_REQUESTS_MAX = 1000;
const REQUEST_TIMEOUT_MS = 60_000;

function toState(options: S3ServerOptions): ExchangeState {
  refuseUnknownOptions("options", options, SERVER_OPTIONS);
  const { pageSize = PAGE_SIZE_MAX, latencyMs = 0, recentRequestsMax = RECENT_REQUESTS_MAX } = options;
  requireInRange("pageSize", pageSize, 1, PAGE_SIZE_MAX);
  requireInRange("latencyMs", latencyMs, 0, TIMER_MAX_MS);
  requireInRange("recentRequestsMax", recentRequestsMax, 0, Number.MAX_VALUE);
  return {
    store: {
      storage: new Storage(options.dataFolder),
      clock: new ServerClock(options.clockOffsetMs ?? 0),
      timers: new Timers(),
      writeRate: new WriteRate(),
      quirks: checkedQuirks(options.quirks ?? {}),
      chances: new Map(),
      versions: new Versions(),
      deleted: new Set(),
      pageSize,
    },
    faults: new FaultRules(),
    log: new RequestLog(recentRequestsMax),
    pending: new Pending(),
    latencyMs,
  };
}

function checkedQuirks(quirks: StoreQuirks): StoreQuirks {
  refuseUnknownOptions("quirks", quirks, QUIRKS);
  return { ...quirks };
}

async function listenOrExplain(state: ExchangeState, { host = "127.0.0.1", port = 0, ...options }: S3ServerOptions) {
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  requireInRange("requestTimeoutMs", requestTimeoutMs, 1, TIMER_MAX_MS);
  const http = createHttpFront(state, requestTimeoutMs);
  try {
    return { http, port: await listen(http, host, port) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot listen on ${host}, port ${port}: ${reason}; leave \`port\` out for a free one`;
    throw new S3MutexError("invalid-argument", message, { cause });
  }
}

/**
 * Starts an S3 server in this process, which real S3 clients reach over real HTTP, and which can be told to fail in all
 * the ways that matter to locks. Signatures and checksums are accepted without being verified.
 *
 * @throws S3MutexError `invalid-argument` when an option is out of its range or the port is taken.
 */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const { host = "127.0.0.1" } = options;
  const state = toState(options);
  const { store, log, faults, pending } = state;
  const direct = directAccess(store);
  for (const bucket of options.buckets ?? []) direct.createBucket(bucket);
  const { http, port } = await listenOrExplain(state, options);
  const endpoint = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= closeHttpFront(http);
    store.timers.close();
    pending.close();
    return closed;
  };
  return {
    ...direct,
    endpoint,
    port,
    clientConfig: () => ({
      endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    }),
    faults,
    setQuirks(quirks) {
      store.quirks = checkedQuirks(quirks);
    },
    setLatency(latencyMs) {
      requireInRange("latencyMs", latencyMs, 0, TIMER_MAX_MS);
      state.latencyMs = latencyMs;
    },
    setClockOffset: (clockOffsetMs) => store.clock.setOffset(clockOffsetMs),
    get requests() {
      return log.counts();
    },
    get recentRequests() {
      return log.recent();
    },
    resetRequests: () => log.reset(),
    onRequest: (listener) => log.listen(listener),
    settled: () => pending.settled(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
