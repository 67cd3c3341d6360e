import { execArgv } from "node:process";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { beginRequest } from "../../../../test/store/handler.js";
import { routeOf } from "./route.js";

const VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "node_use_env_proxy", "node_options"];

beforeEach(() => {
  for (const name of VARIABLES) for (const one of [name, name.toUpperCase()]) vi.stubEnv(one, undefined);
});

async function route(requestHandler: unknown, protocol: "http" | "https" = "http"): Promise<readonly string[]> {
  const client = new S3Client({ region: "eu-central-1", requestHandler } as S3ClientConfig);
  await beginRequest(client);
  return await routeOf(client, protocol);
}

const saying = (words: RegExp) => ({ message: expect.stringMatching(words) });

class FetchHttpHandler {
  readonly #configured: object;

  constructor(configured: object = {}) {
    this.#configured = configured;
  }

  async handle(): Promise<object> {
    return {};
  }

  httpHandlerConfigs(): object {
    return this.#configured;
  }
}

const [FIRST, SECOND] = [1, 2].map((version) => Symbol.for(`undici.globalDispatcher.${version}`)) as [symbol, symbol];
const globals = globalThis as unknown as Record<symbol, unknown>;
// Node makes its own at the first request.
void fetch("data:,").catch(() => {});
const before = [globals[FIRST], globals[SECOND]];

/** As undici makes them, which keeps what they were made of under symbols of its own. */
class Agent {
  constructor(options: object = {}, factory: () => void = defaultFactory) {
    Object.assign(this, { [Symbol("options")]: { connect: undefined, ...options }, [Symbol("factory")]: factory });
  }
  dispatch(): void {}
}
class EnvHttpProxyAgent extends Agent {}
class ProxyAgent extends Agent {}
class Dispatcher1Wrapper extends Agent {}
function defaultFactory(): void {}

afterEach(() => {
  vi.unstubAllEnvs();
  stubAll({ [FIRST]: before[0], [SECOND]: before[1] });
  const told = execArgv.indexOf("--use-env-proxy");
  if (told >= 0) execArgv.splice(told, 1);
});

/** Makes an agent that keeps only this of what it was made of. */
function keeping(parts: object): object {
  return Object.assign(Object.create({ constructor: Agent, dispatch() {} }), parts);
}

/** Composes as undici 7 does: by a proxy that answers for another `dispatch`. */
function composed(dispatcher: object): object {
  const dispatch = () => {};
  return new Proxy(dispatcher, { get: (target, key) => (key === "dispatch" ? dispatch : Reflect.get(target, key)) });
}

/** Assigns them: they cannot be defined anew. */
function stubAll(dispatchers: Readonly<Record<symbol, unknown>>): void {
  for (const symbol of [FIRST, SECOND]) globals[symbol] = dispatchers[symbol];
}

describe("a handler that sends by fetch", () => {
  it.each([
    ["Node's", { [FIRST]: new Agent() }],
    ["the newer Node's", { [FIRST]: new Dispatcher1Wrapper(), [SECOND]: new Agent() }],
    ["another runtime's", {}],
    ["one that was asked before, as Node's is", { [FIRST]: before[0] ?? before[1] }],
    ["one with a pool of another size", { [FIRST]: new Agent({ connections: 9, connect: { timeout: 9, ca: "a" } }) }],
    ["one of a bundle", { [FIRST]: new Agent({}, function defaultFactory2() {}) }],
    [
      "one whose options say nothing",
      { [FIRST]: new Agent({ socketPath: null, tls: null, connect: { path: undefined } }) },
    ],
  ])("goes straight to the URL by %s", async (_, dispatchers) => {
    stubAll(dispatchers);
    expect(await route(new FetchHttpHandler())).toEqual([]);
  });

  const TOLD_TO: readonly [string, () => void][] = [
    ["a variable", () => vi.stubEnv("NODE_USE_ENV_PROXY", "1")],
    ["an option", () => void execArgv.push("--use-env-proxy")],
    ["an option of all", () => vi.stubEnv("NODE_OPTIONS", "--no-warnings --use-env-proxy")],
  ];

  it.each(TOLD_TO)("goes by the environment where Node was told to by %s", async (_, tell) => {
    tell();
    stubAll({ [FIRST]: new EnvHttpProxyAgent(), [SECOND]: new EnvHttpProxyAgent() });
    expect(await route(new FetchHttpHandler())).toEqual(["fetch"]);
    vi.stubEnv("HTTP_PROXY", "http://proxy:3128");
    vi.stubEnv("no_proxy", "store");
    expect(await route(new FetchHttpHandler())).toEqual(["fetch", "proxy:3128", "store"]);
    expect(await route(new FetchHttpHandler(), "https")).toEqual(["fetch"]);
  });

  it("goes by the environment in other runtimes, and not in Node", async () => {
    vi.stubEnv("https_proxy", "proxy");
    stubAll({});
    expect(await route(new FetchHttpHandler(), "https")).toEqual(["fetch", "proxy", ""]);
    stubAll({ [FIRST]: new Agent() });
    expect(await route(new FetchHttpHandler(), "https")).toEqual([]);
  });
});

describe("a handler that sends by fetch cannot be told", () => {
  it.each<[string, object]>([
    ["a dispatcher that goes by an environment of its own", new EnvHttpProxyAgent({ httpProxy: "proxy" })],
    ["one that another one is composed of", composed(new Agent())],
    ["one with a factory", new Agent({}, () => {})],
    ["one with another factory whose name begins alike", new Agent({}, function defaultFactoryOf() {})],
    ["one with another factory whose name ends alike", new Agent({}, function notdefaultFactory() {})],
    ["one that hides what it was made of", keeping({ [Symbol("factory")]: defaultFactory })],
    ["one that hides by what it makes its connections", keeping({ [Symbol("options")]: {} })],
    ["one that connects by a function", new Agent({ connect: () => {} })],
    ["one that connects for TLS by a function", new Agent({ tls: () => {} })],
    ...["lookup", "path", "socketPath", "host", "port", "interceptors"].flatMap((name): [string, object][] => [
      [`one with ${name}`, new Agent({ [name]: "a" })],
      [`one that connects with ${name}`, new Agent({ connect: { [name]: "a" } })],
      [`one that connects for TLS with ${name}`, new Agent({ tls: { [name]: "a" } })],
    ]),
  ])("by %s", async (_, dispatcher) => {
    stubAll({ [FIRST]: dispatcher });
    await expect(route(new FetchHttpHandler())).rejects.toMatchObject(saying(/by a dispatcher cannot be told$/));
  });

  it("by a proxy of the program's own where Node was told to go by the environment", async () => {
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    stubAll({ [FIRST]: new ProxyAgent() });
    await expect(route(new FetchHttpHandler())).rejects.toMatchObject(saying(/by a dispatcher cannot be told$/));
  });

  it("by another class of dispatcher, or another fetch", async () => {
    stubAll({ [FIRST]: new ProxyAgent() });
    await expect(route(new FetchHttpHandler())).rejects.toMatchObject(saying(/by a dispatcher cannot be told$/));
    stubAll({ [FIRST]: new Agent(), [SECOND]: new ProxyAgent() });
    await expect(route(new FetchHttpHandler())).rejects.toMatchObject(saying(/by a dispatcher cannot be told$/));
    stubAll({});
    await expect(route(new FetchHttpHandler({ customFetch: fetch }))).rejects.toMatchObject(
      saying(/by a handler cannot be told$/),
    );
  });
});
