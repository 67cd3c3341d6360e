import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { isTurnOf } from "./buckets/store-state.js";
import { type ExchangeState, exchange, type Reply } from "./exchange.js";
import type { FaultPlan } from "./faults/fault-plan.js";
import { monotonicMs } from "./faults/server-clock.js";
import { SlowWrites } from "./faults/slow-writes.js";
import type { Answer } from "./wire/answer.js";
import { toS3Request } from "./wire/s3-request.js";

const NO_BODY = Buffer.alloc(0);
const LISTEN_BACKLOG = 1024;

/** What S3 takes is larger by far, but here it would be in memory. */
const BODY_BYTES_MAX = 128 * 1024 * 1024;

/**
 * Receives the body as it came, undefined where it is too long; a client that goes away half-way leaves no trace, unless `keepsCut`:
 * then that is the body.
 */
function receiveBody(
  request: IncomingMessage,
  keepsCut: boolean,
  whenOver: (body: Buffer | undefined, isCut?: true) => void,
): void {
  const { headers } = request;
  if (headers["transfer-encoding"] === undefined && (headers["content-length"] ?? "0") === "0") {
    request.resume();
    whenOver(NO_BODY);
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  const receive = (chunk: Buffer) => {
    length += chunk.length;
    if (length <= BODY_BYTES_MAX) chunks.push(chunk);
    else stop(undefined);
  };
  const finish = () => stop(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
  const stop = (body: Buffer | undefined) => {
    request.off("data", receive).off("end", finish).off("close", cut);
    if (body === undefined) request.resume();
    whenOver(body);
  };
  const cut = () => {
    request.off("data", receive).off("end", finish);
    if (keepsCut) whenOver(Buffer.concat(chunks), true);
  };
  request.on("data", receive).on("end", finish).on("close", cut);
}

function dateHeader(state: ExchangeState, plan: FaultPlan): Record<string, string> {
  if (plan.omitDate || state.store.quirks.noDate) return {};
  const { dateEveryMs = 1, dateJumpMs = 0 } = state.store.quirks;
  const jumpMs = isTurnOf(state.store, "dateJumpMs", 2) ? dateJumpMs : 0;
  const nowMs = state.store.clock.nowMs() + plan.dateShiftMs + jumpMs;
  return { date: new Date(Math.floor(nowMs / dateEveryMs) * dateEveryMs).toUTCString() };
}

function sendTruncated(response: ServerResponse, answer: Answer, headers: Answer["headers"], plan: FaultPlan): void {
  const body = Buffer.from(answer.body ?? "");
  const part = body.subarray(0, plan.truncate?.bytes ?? Math.floor(body.length / 2));
  const isSilent = plan.truncate?.unnoticed === true;
  response.writeHead(answer.status, { ...headers, "content-length": isSilent ? part.length : body.length });
  if (isSilent) response.end(part);
  else response.write(part, () => response.socket?.destroy());
}

function damaged(answer: Answer, { damage: fault }: FaultPlan): Answer {
  if (fault === undefined || answer.body === undefined) return answer;
  const { damage } = fault;
  const body = Buffer.from(answer.body);
  if (damage === "gzip") {
    return { ...answer, headers: { ...answer.headers, "content-encoding": "gzip" }, body: gzipSync(body) };
  }
  if (damage === "halve") return { ...answer, body: body.subarray(0, Math.floor(body.length / 2)) };
  return { ...answer, body: damage === "empty" ? Buffer.alloc(0) : Buffer.from(damage(body)) };
}

/** Changes headers by their rules, which name them in lower case; HTTP writes them in any case. */
function changed(headers: Answer["headers"], { headers: fault }: FaultPlan): Answer["headers"] {
  if (fault === undefined) return headers;
  const all = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  for (const [name, change] of Object.entries(fault.headers)) {
    const value = typeof change === "string" ? change : change(all.get(name));
    if (value === undefined) all.delete(name);
    else all.set(name, value);
  }
  return Object.fromEntries(all);
}

function replyOn(state: ExchangeState, response: ServerResponse): Reply {
  return {
    send(sent, requestId, plan) {
      const answer = damaged(sent, plan);
      const { status, body } = answer;
      const marks = sent.isForeign ? {} : { "x-amz-request-id": requestId };
      const closing = state.store.quirks.closesConnections === true ? { connection: "close" } : {};
      const headers = changed({ ...answer.headers, ...marks, ...closing, ...dateHeader(state, plan) }, plan);
      if (body !== undefined && plan.truncate !== undefined) {
        sendTruncated(response, answer, headers, plan);
        return;
      }
      if (body === undefined) response.writeHead(status, headers).end();
      else response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
    },
    reset() {
      response.socket?.resetAndDestroy();
    },
  };
}

/** Turns HTTP into exchanges. The server is not listening yet. */
export function createHttpFront(state: ExchangeState, requestTimeoutMs: number): Server {
  let requests = 0;
  const slowWrites = new SlowWrites(state.store.timers);
  const options = {
    noDelay: true,
    keepAlive: true,
    // A client may keep a connection for as long as it likes: one that is closed just as it is used looks like a fault.
    keepAliveTimeout: 0,
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    // How often Node looks; every 30 s by itself.
    connectionsCheckingInterval: Math.max(1, Math.min(1000, requestTimeoutMs / 4)),
  };
  return createServer(options, (request, response) => {
    response.sendDate = false;
    const { method = "", url = "" } = request;
    const { quirks } = state.store;
    const isSlow = quirks.readsWaitForWrites === true;
    const arrived = isSlow && method === "PUT" ? slowWrites.begin(url, request) : undefined;
    receiveBody(request, quirks.keepsCutWrites === true, (body, isCut) => {
      requests++;
      const requestId = requests.toString(16).toUpperCase().padStart(16, "0");
      // What was taken for whole is as long as it is.
      const headers = isCut ? { ...request.headers, "content-length": String(body?.length) } : request.headers;
      const start = () =>
        exchange(
          state,
          toS3Request({ method, url, headers }, body, requestId, monotonicMs()),
          replyOn(state, response),
        );
      if (isSlow && method === "GET") void slowWrites.wait(url).then(start);
      else void start().finally(arrived);
    });
  });
}

/** Resolves with the port. Rejects with what the operating system says. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
      server.off("error", reject);
      // A connection that cannot be accepted (no descriptors left) is its client's loss, not the end of the process.
      server.on("error", () => {});
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Destroys every connection; resolves when the port is free. */
export function closeHttpFront(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
