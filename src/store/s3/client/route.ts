import type { S3Client } from "@aws-sdk/client-s3";
import { isNodeItself, proxyByVariables, proxyName, routeOfFetch, untold, VARIABLES } from "./fetch-route.js";

/**
 * Tells by what the requests of a client get to their URL, once it has sent one: by nothing, where they go straight there, or by which
 * proxy. An agent of another class than Node's own may connect to anything, and what stands there may drop conditions; so may middleware.
 * @throws where that cannot be told
 */
export async function routeOf(client: S3Client, protocol: "http" | "https"): Promise<readonly string[]> {
  const { config } = client;
  if (middlewareOf(client).some((name) => !OF_SDK.has(name))) throw untold("middleware");
  const handler = config.requestHandler as Handler;
  const configured = handler.httpHandlerConfigs?.() ?? {};
  if (Object.hasOwn(handler, "handle")) throw untold("a handler");
  // By what no other class has: a bundler may have renamed it, and a program may have more than one copy of it.
  if (Object.hasOwn(handler.constructor, "checkSocketUsage")) {
    return await routeByAgent(configured[`${protocol}Agent`], protocol);
  }
  if (handler.constructor.name !== "FetchHttpHandler" || configured.customFetch !== undefined)
    throw untold("a handler");
  return routeOfFetch(protocol);
}

/** What each client of the SDK has, since 3.700; any other may send a request elsewhere, or drop its conditions. */
const OF_SDK: ReadonlySet<string | undefined> = new Set([
  ...["serializerMiddleware", "deserializerMiddleware", "getUserAgentMiddleware", "retryMiddleware"],
  ...["contentLengthMiddleware", "hostHeaderMiddleware", "loggerMiddleware", "recursionDetectionMiddleware"],
  ...["validateBucketNameMiddleware", "addExpectContinueMiddleware", "s3ExpressMiddleware", "httpAuthSchemeMiddleware"],
  ...["bucketEndpointMiddleware", "regionRedirectMiddleware", "regionRedirectEndpointMiddleware"],
  "httpSigningMiddleware",
  // Of `s3-mutex bench`, which counts requests.
  "s3MutexBench",
]);

/** Finds the names of all middleware; those that stand beside one of each command, the client's own list leaves out. */
function middlewareOf({ middlewareStack }: S3Client): readonly (string | undefined)[] {
  const names: (string | undefined)[] = [];
  const note = (_: unknown, { name }: { readonly name?: string }) => void names.push(name);
  middlewareStack.applyToStack({ add: note, addRelativeTo: note } as never);
  return names;
}

/** Of the SDK, or of the program. */
interface Handler {
  httpHandlerConfigs?(): {
    readonly httpAgent?: Agent;
    readonly httpsAgent?: Agent;
    readonly customFetch?: unknown;
  };
}

/** Of Node, of the CLI, or of a package that goes by a proxy, most of which tell which. */
interface Agent {
  /** Null where it has gone straight to the URL. */
  readonly proxy?: string | { readonly href?: unknown } | null;
  readonly options?: Readonly<Record<string, unknown>>;
}

async function routeByAgent(agent: Agent | undefined, protocol: "http" | "https"): Promise<readonly string[]> {
  if (agent === undefined) throw untold("a client that has sent nothing");
  // Not at the top, for runtimes that have neither.
  const { default: node } = await (protocol === "http" ? import("node:http") : import("node:https"));
  const isOfNode = (one: object) => Object.getPrototypeOf(one) === node.Agent.prototype;
  // What replaces it, mostly replaces the agent of each request as well.
  if (!isOfNode(node.globalAgent)) throw untold("an agent");
  const { proxy, options = {} } = agent;
  if (proxy === null) return [];
  const url = typeof proxy === "string" ? proxy : proxy?.href;
  if (typeof url === "string") return ["proxy", proxyName(url)];
  const isChanged = METHODS.some((method) => Object.hasOwn(agent, method));
  const isAddressed = ADDRESSES.some((option) => (options[option] ?? undefined) !== undefined);
  if (!isOfNode(agent) || isChanged || isAddressed) throw untold("an agent");
  // Whether those of other runtimes go by the environment differs from release to release.
  if (!isNodeItself() && proxyByVariables(VARIABLES, protocol).length > 0) throw untold("an agent");
  const { proxyEnv } = options as { readonly proxyEnv?: typeof VARIABLES };
  return proxyEnv === undefined ? [] : ["agent", ...proxyByVariables(proxyEnv, protocol)];
}

const METHODS = ["addRequest", "createSocket", "createConnection"];
/** What agents go by in place of what a request says. */
const ADDRESSES = ["host", "hostname", "port", "socketPath", "lookup", "createConnection"];
