import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Guard, isAddressOr, isLoopback } from "./guard.js";
import { loadPageFiles, PAGE_HEADERS, type PageFile } from "./page-files.js";
import type { SharedReader } from "./shared-reader.js";
import { StreamViewer } from "./stream-viewer.js";
import type { ReleaseOutcome, ReleaseRequest } from "./wire.js";

export interface DashboardOptions {
  readonly reader: SharedReader;
  /** Ends the holds that the viewer saw; undefined where nothing may be changed. */
  readonly release: ((request: ReleaseRequest) => Promise<ReleaseOutcome>) | undefined;
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Names of this machine under which it may be asked for, where `host` is not loopback. */
  readonly hostNames: readonly string[];
  /** Where the page's script is, if not beside this file. */
  readonly script?: URL | undefined;
  /** How long a request may take to arrive whole. @default 10000 */
  readonly requestTimeoutMs?: number | undefined;
}

export interface Dashboard {
  /** With the token: a browser that has it sees everything. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the dashboard's server. Rejects with the system's error when it cannot listen. */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { host, port, reader } = options;
  const guard = new Guard(isLoopback(host) ? isLoopback : isAddressOr([host, ...options.hostNames]));
  const handler = new Handler(options, guard, await loadPageFiles(options.script));
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  // Half a request, or half of its headers, is closed in that time; Node looks only every 30 s by itself.
  const limits = { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs };
  const server = createServer(
    { ...limits, connectionsCheckingInterval: requestTimeoutMs / 4 },
    (request, response) => void handler.answer(request, response),
  );
  await listen(server, host, port);
  // A connection that cannot be accepted (no descriptors left) is its client's loss, not the end of the dashboard.
  server.on("error", () => {});
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actualPort}/?token=${guard.token}`,
    async close() {
      reader.close();
      const closed = new Promise((resolve) => server.close(resolve));
      handler.endStreams();
      // What was under way may be answered still, but not without end.
      const cut = setTimeout(() => server.closeAllConnections(), CLOSE_PATIENCE_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}

const CLOSE_PATIENCE_MS = 1000;
const REQUEST_TIMEOUT_MS = 10_000;

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

class Handler {
  readonly #options: DashboardOptions;
  readonly #guard: Guard;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #streams = new Set<ServerResponse>();

  constructor(options: DashboardOptions, guard: Guard, files: ReadonlyMap<string, PageFile>) {
    this.#options = options;
    this.#guard = guard;
    this.#files = files;
  }

  /** Answers, and never rejects: what any client may send must not end the process, nor be answered by what it looks like inside. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A viewer may be gone when it is told something.
    response.on("error", () => {});
    try {
      await this.#answer(request, response);
    } catch {
      if (response.headersSent) response.destroy();
      else end(response, 500, "The dashboard could not answer this request.");
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", headers } = request;
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
    const refusal = this.#guard.refusalOf(headers, method);
    if (refusal !== undefined) return end(response, 403, refusal);
    const { url: target = "/" } = request;
    if (!URL.canParse(target, BASE)) return end(response, 400, "The path of the request is not one.");
    const url = new URL(target, BASE);
    if (url.pathname === "/events" || url.pathname === "/release") {
      if (!this.#guard.isBearer(headers)) return end(response, 401, NO_TOKEN);
      if (url.pathname === "/events")
        return method === "GET" ? this.#stream(response) : end(response, 405, NOT_ALLOWED);
      return method === "POST" ? this.#release(request, response) : end(response, 405, NOT_ALLOWED);
    }
    if (method !== "GET") return end(response, 405, NOT_ALLOWED);
    const isOpened = url.pathname === "/" && this.#guard.isToken(url.searchParams.get("token"));
    if (!isOpened && !this.#guard.hasCookie(headers)) return end(response, 401, NO_TOKEN);
    const file = this.#files.get(url.pathname);
    if (file === undefined) return end(response, 404, "There is nothing here.");
    if (isOpened) response.setHeader("set-cookie", this.#guard.cookieFor(headers));
    response.writeHead(200, { "content-type": file.type, "content-length": file.body.length }).end(file.body);
  }

  /** Sends events to a viewer, for as long as it stays. */
  #stream(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", connection: "close" });
    this.#streams.add(response);
    const viewer = new StreamViewer(response, () => this.#options.reader.sendSnapshot(viewer));
    const leave = this.#options.reader.add(viewer);
    response.once("close", () => {
      this.#streams.delete(response);
      leave();
    });
  }

  /** Ends each as it should end: cut off, it would be an error to the page. */
  endStreams(): void {
    for (const response of this.#streams) response.end();
  }

  async #release(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { release } = this.#options;
    if (release === undefined) return end(response, 403, "This dashboard is read-only.");
    const body = await readBody(request);
    const asked = body === undefined ? undefined : parseRelease(body);
    if (asked === undefined) return end(response, 400, "Send a lock's name and the tokens of its holders as JSON.");
    try {
      const outcome = await release(asked);
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ outcome }));
    } catch (error) {
      end(response, 502, (error as Error).message);
    }
  }
}

/** Only what follows the host counts, so any host will do. */
const BASE = "http://localhost";
const NO_TOKEN = "Open the address that `s3-mutex ui` has printed: it has the token.";
const NOT_ALLOWED = "This method is not possible here.";

const MAX_REQUEST_BYTES = 16 * 1024;

/** Reads the body of a request; undefined where it is not JSON, is too long, or broke off. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  // The connection is still needed for the answer when the reading stops early.
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > MAX_REQUEST_BYTES) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseRelease(body: string): ReleaseRequest | undefined {
  try {
    const { lockName, tokens } = JSON.parse(body) as Partial<Record<keyof ReleaseRequest, unknown>>;
    if (typeof lockName !== "string" || !Array.isArray(tokens)) return undefined;
    return tokens.every((token) => typeof token === "number") ? { lockName, tokens } : undefined;
  } catch {
    return undefined;
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" }).end(`${text}\n`);
}
