import { type ClientRequest, type ClientRequestArgs, Agent as HttpAgent, request as httpRequest } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import { connect as connectPlain, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { HttpProxy } from "./proxy.js";

/** The proxy for a host, if it is not reached directly. */
export type ProxyOf = (endpoint: URL) => HttpProxy | undefined;

/** What the SDK's own agents are made with. */
const POOL = { keepAlive: true, maxSockets: 50 } as const;

/** How long a proxy may take to open a way to the store. */
const OPEN_MAX_MS = 30_000;

type Connected = (error: Error | null, socket: Duplex) => void;
/** Called by Node, and unknown to its types. */
interface Insides {
  addRequest(request: ClientRequest, options: ClientRequestArgs): void;
}

/** For stores with TLS: the proxy opens a way to the store (CONNECT), and sees nothing of what goes through it. */
export class TunnelAgent extends HttpsAgent {
  readonly #proxyOf: ProxyOf;
  /** By which proxy it has gone last, null for none: what is known of a store by one way is not known by another. */
  proxy: string | null | undefined;

  constructor(proxyOf: ProxyOf, options: AgentOptions) {
    super({ ...POOL, ...options });
    this.#proxyOf = proxyOf;
  }

  override createConnection(options: RequestOptions, connected: Connected): Duplex | null | undefined {
    const authority = authorityOf(options, 443);
    const proxy = this.#proxyOf(new URL(`https://${authority}`));
    this.proxy = proxy?.url.host ?? null;
    if (proxy === undefined) return super.createConnection(options, connected);
    const { url } = proxy;
    const fail = connected as (error: Error) => void;
    const opening = (url.protocol === "https:" ? httpsRequest : httpRequest)({
      ...addressOf(url),
      method: "CONNECT",
      path: authority,
      headers: { host: authority, ...authorization(url) },
      agent: false,
      timeout: OPEN_MAX_MS,
    });
    opening.once("connect", ({ statusCode, statusMessage }, socket: Socket) => {
      if (statusCode === 200) return connected(null, connectTls({ ...(options as ConnectionOptions), socket }));
      socket.destroy();
      fail(new Error(`${nameOf(proxy)} refused the way to ${authority}: ${statusCode} ${statusMessage}`));
    });
    opening.once("timeout", () => opening.destroy(new Error(`no answer within ${OPEN_MAX_MS / 1000} s`)));
    opening.once("error", (error) => fail(unreachable(proxy, error)));
    opening.end();
    return undefined;
  }
}

/** For stores without TLS: the proxy is sent the request itself, with the whole address in its first line. */
export class ForwardAgent extends HttpAgent {
  readonly #proxyOf: ProxyOf;
  /** By which proxy it has gone last, null for none: what is known of a store by one way is not known by another. */
  proxy: string | null | undefined;

  constructor(proxyOf: ProxyOf) {
    super(POOL);
    this.#proxyOf = proxyOf;
  }

  /** Sends a request by its proxy, if it has one; Node calls this for each request, before any of it is written. */
  addRequest(request: ClientRequest, options: ClientRequestArgs): void {
    const authority = authorityOf(options, 80);
    const proxy = this.#proxyOf(new URL(`http://${authority}`));
    this.proxy = proxy?.url.host ?? null;
    if (proxy !== undefined) {
      request.path = `http://${authority}${request.path}`;
      for (const [name, value] of Object.entries(authorization(proxy.url))) request.setHeader(name, value);
    }
    (HttpAgent.prototype as unknown as Insides).addRequest.call(this, request, options);
  }

  override createConnection(options: ClientRequestArgs, connected: Connected): Duplex | null | undefined {
    const proxy = this.#proxyOf(new URL(`http://${authorityOf(options, 80)}`));
    if (proxy === undefined) return super.createConnection(options, connected);
    const { host, port } = addressOf(proxy.url);
    const isTls = proxy.url.protocol === "https:";
    const socket = isTls ? connectTls({ host, port, servername: host }) : connectPlain({ host, port });
    socket.prependOnceListener("error", (error) => {
      if (socket.connecting || !socket.remoteAddress) error.message = unreachable(proxy, error).message;
    });
    return socket;
  }
}

function authorityOf({ host, port }: Pick<ClientRequestArgs, "host" | "port">, usualPort: number): string {
  return `${bracketed(host ?? "localhost")}:${port ?? usualPort}`;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function addressOf({ hostname, port, protocol }: URL): { readonly host: string; readonly port: number } {
  const usual = protocol === "https:" ? 443 : 80;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? usual : Number(port) };
}

function authorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "") return {};
  const secret = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(secret).toString("base64")}` };
}

/** Names a proxy without what it is unlocked by. */
function nameOf({ url: { protocol, host }, source }: HttpProxy): string {
  return `the proxy ${protocol}//${host} (${source})`;
}

function unreachable(proxy: HttpProxy, error: NodeJS.ErrnoException): Error {
  const { code } = error;
  return Object.assign(new Error(`${nameOf(proxy)} could not be reached: ${error.message}`, { cause: error }), {
    code,
  });
}
