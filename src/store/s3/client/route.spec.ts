import http, { globalAgent, Agent as HttpAgent } from "node:http";
import https, { Agent as HttpsAgent } from "node:https";
import { versions } from "node:process";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { beginRequest } from "../../../../test/store/handler.js";
import { Meter } from "../../../cli/bench/meter.js";
import { routeOf } from "./route.js";

const VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];

beforeEach(() => {
  for (const name of VARIABLES) for (const one of [name, name.toUpperCase()]) vi.stubEnv(one, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function route(requestHandler: unknown, protocol: "http" | "https" = "http"): Promise<readonly string[]> {
  const client = new S3Client({ region: "eu-central-1", requestHandler } as S3ClientConfig);
  await beginRequest(client);
  return await routeOf(client, protocol);
}

class OtherAgent extends HttpAgent {}
class OtherHttpsAgent extends HttpsAgent {}
const withProxy = (proxy: unknown) => Object.assign(new OtherAgent(), { proxy });
const changed = (name: string) => Object.assign(new HttpAgent(), { [name]: () => {} });

const saying = (words: RegExp) => ({ message: expect.stringMatching(words) });

describe("requests go straight to their URL", () => {
  it.each([
    ["the SDK's own agents", undefined],
    ["agents of Node with a pool of another size", { httpAgent: new HttpAgent({ keepAlive: true, maxSockets: 9 }) }],
    ["options for agents of Node", { httpAgent: { maxSockets: 9 }, httpsAgent: { ca: "a", maxSockets: 9 } }],
    ["the agent that a process has", { httpAgent: globalAgent }],
    ["options that say nothing", { httpAgent: { lookup: undefined, socketPath: null } }],
    ["an agent that tells that it has", { httpAgent: withProxy(null) }],
    ["one of the other protocol that may go anywhere", { httpsAgent: new OtherHttpsAgent() }],
  ])("with %s", async (_, requestHandler) => {
    expect(await route(requestHandler)).toEqual([]);
  });

  it("with agents of Node for TLS", async () => {
    expect(
      await route({ httpsAgent: new HttpsAgent({ maxSockets: 9 }), httpAgent: new OtherAgent() }, "https"),
    ).toEqual([]);
    expect(await route(undefined, "https")).toEqual([]);
  });

  it("though `s3-mutex bench` counts them", async () => {
    const client = new Meter().watch(new S3Client({ region: "eu-central-1" }));
    await beginRequest(client);
    expect(await routeOf(client, "http")).toEqual([]);
  });

  it("whatever the environment says, by which Node's own agents do not go", async () => {
    vi.stubEnv("HTTP_PROXY", "http://proxy:3128");
    expect(await route(undefined)).toEqual([]);
  });
});

describe("by a proxy", () => {
  it.each([
    ["as a URL", new URL("http://me:secret@Proxy:3128/")],
    ["as a text", "http://proxy:3128"],
    ["without a protocol", "proxy:3128"],
    ["with a slash at its end", "http://proxy:3128/"],
    ["as what older packages parse", { href: "http://proxy:3128/", host: "proxy" }],
  ])("that its agent tells, %s", async (_, proxy) => {
    expect(await route({ httpAgent: withProxy(proxy) })).toEqual(["proxy", "proxy:3128"]);
  });

  it("of which a path is a part", async () => {
    expect(await route({ httpAgent: withProxy("http://proxy/a/") })).toEqual(["proxy", "proxy/a"]);
  });

  it.each([
    ["in capitals", { HTTP_PROXY: "http://proxy:3128" }, ["agent", "proxy:3128", ""]],
    ["in small letters, which count first", { http_proxy: "proxy", HTTP_PROXY: "other" }, ["agent", "proxy", ""]],
    ["for all protocols", { ALL_PROXY: "proxy", https_proxy: "other" }, ["agent", "proxy", ""]],
    ["for this one, which counts first", { all_proxy: "other", http_proxy: "proxy" }, ["agent", "proxy", ""]],
    ["with exceptions", { http_proxy: "proxy", NO_PROXY: "a,b" }, ["agent", "proxy", "a,b"]],
    ["of none", { https_proxy: "proxy", http_proxy: "", no_proxy: "a" }, ["agent"]],
  ])("that the variables name which an agent was given: %s", async (_, proxyEnv, expected) => {
    expect(await route({ httpAgent: { proxyEnv } })).toEqual(expected);
  });

  it("for TLS by the variables for TLS", async () => {
    const proxyEnv = { https_proxy: "https://secure/", http_proxy: "other" };
    expect(await route({ httpsAgent: { proxyEnv } }, "https")).toEqual(["agent", "secure", ""]);
  });
});

describe("cannot be told", () => {
  it.each<[string, object]>([
    ["an agent of another class", { httpAgent: new OtherAgent() }],
    ["one that says nothing of use of its proxy", { httpAgent: withProxy({ host: "proxy" }) }],
    ["an agent of no class of Node's", { httpAgent: { destroy() {} } }],
    ["agents that were changed: addRequest", { httpAgent: changed("addRequest") }],
    ["agents that were changed: createSocket", { httpAgent: changed("createSocket") }],
    ["agents that were changed: createConnection", { httpAgent: changed("createConnection") }],
    ...["host", "hostname", "port", "socketPath", "lookup", "createConnection"].map((option): [string, object] => [
      `agents with ${option}`,
      { httpAgent: { [option]: "proxy" } },
    ]),
    ["a handler of the program's own", { handle: async () => ({}) }],
  ])("%s", async (_, requestHandler) => {
    await expect(route(requestHandler)).rejects.toMatchObject(
      saying(/^where requests get to by an? .* cannot be told$/),
    );
  });

  it("a client that has sent nothing", async () => {
    await expect(routeOf(new S3Client({ region: "eu-central-1" }), "http")).rejects.toMatchObject(
      saying(/by a client that has sent nothing cannot be told$/),
    );
  });

  it("a handler that was changed, or made of the SDK's", async () => {
    const client = new S3Client({ region: "eu-central-1" });
    await beginRequest(client);
    const { requestHandler } = client.config;
    const Handler = requestHandler.constructor as new () => { handle(): Promise<object> };
    class Wrapped extends Handler {}
    await expect(route(new Wrapped())).rejects.toMatchObject(saying(/by a handler cannot be told$/));
    Object.assign(requestHandler, { handle: requestHandler.handle.bind(requestHandler) });
    await expect(routeOf(client, "http")).rejects.toMatchObject(saying(/by a handler cannot be told$/));
  });

  it.each<[string, object]>([
    ["of its own", { step: "finalizeRequest", priority: "low", name: "toProxy" }],
    ["without a name", { step: "build" }],
    ["beside one that each command has", { relation: "before", toMiddleware: "endpointV2Middleware", name: "toProxy" }],
  ])("a client with middleware %s", async (_, place) => {
    const client = new S3Client({ region: "eu-central-1" });
    await beginRequest(client);
    const { middlewareStack } = client;
    if ("relation" in place) middlewareStack.addRelativeTo((next: unknown) => next as never, place as never);
    else middlewareStack.add((next: unknown) => next as never, place as never);
    await expect(routeOf(client, "http")).rejects.toMatchObject(saying(/by middleware cannot be told$/));
  });

  it.each([
    ["HTTP", http, "http", () => new OtherAgent()],
    ["TLS", https, "https", () => new OtherHttpsAgent()],
  ] as const)("%s where the agent of all requests of the process was replaced", async (_, module, protocol, other) => {
    const before = module.globalAgent;
    Object.assign(module, { globalAgent: other() });
    try {
      const told = { httpAgent: withProxy(null), httpsAgent: withProxy(null) };
      await expect(route(told, protocol)).rejects.toMatchObject(saying(/by an agent cannot be told$/));
    } finally {
      Object.assign(module, { globalAgent: before });
    }
  });

  it.each(["bun", "deno"])("the agents of %s, where the environment names a proxy", async (runtime) => {
    vi.stubEnv("HTTPS_PROXY", "proxy");
    Object.defineProperty(versions, runtime, { value: "1.0.0", configurable: true });
    try {
      expect(await route(undefined)).toEqual([]);
      await expect(route(undefined, "https")).rejects.toMatchObject(saying(/by an agent cannot be told$/));
    } finally {
      delete (versions as Record<string, unknown>)[runtime];
    }
  });
});
