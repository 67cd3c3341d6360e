// biome-ignore lint/style/noRestrictedImports: as what sends requests finds its proxies; a simulation has none.
import process, { env, versions } from "node:process";

/** The environment of this process. */
export const VARIABLES: Readonly<Record<string, string | undefined>> = env;

/**
 * Tells by what `fetch` sends the requests of a protocol, once it has sent one: by nothing, where they go straight to their URL.
 * @throws where that cannot be told, since something of the program's own sends them
 */
export function routeOfFetch(protocol: "http" | "https"): readonly string[] {
  const found = DISPATCHERS.map((symbol) => (globalThis as Partial<Record<symbol, Dispatcher>>)[symbol]);
  // One for older copies of undici, which leads to the other.
  const counting = found.filter((one) => one !== undefined && nameOf(one) !== "Dispatcher1Wrapper") as Dispatcher[];
  const own = counting.filter((one) => !isPlainAgent(one));
  if (!own.every(isOfNodeByVariables)) throw untold("a dispatcher");
  const proxies = proxyByVariables(VARIABLES, protocol);
  // Node goes by its environment where it was told to, and the runtimes that have no such dispatcher always do.
  const goesByVariables = own.length > 0 || (counting.length === 0 && proxies.length > 0);
  return goesByVariables ? ["fetch", ...proxies] : [];
}

/** Where Node's `fetch` finds what sends its requests: which one counts is a matter of the release. */
const DISPATCHERS = [1, 2].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));

/** Of undici, which is in Node and is a package as well. */
interface Dispatcher {
  readonly dispatch?: unknown;
  readonly [kept: symbol]: unknown;
}

function nameOf(dispatcher: Dispatcher): string {
  return dispatcher.constructor.name;
}

/**
 * Says whether a dispatcher is the one that Node makes where it was told to go by its environment: one that a program makes may have been
 * given other proxies than the variables name.
 */
function isOfNodeByVariables(dispatcher: Dispatcher): boolean {
  const options = `${process.execArgv} ${env["NODE_OPTIONS"]}`;
  const isTold = env["NODE_USE_ENV_PROXY"] === "1" || options.includes("--use-env-proxy");
  return isTold && nameOf(dispatcher) === "EnvHttpProxyAgent";
}

/** Says whether a dispatcher is an agent that connects to what a URL names: composed of no other one, and given no way of its own to connect. */
function isPlainAgent(agent: Dispatcher): boolean {
  const { options, factory } = partsOf(agent) as { readonly options?: Connecting; readonly factory?: () => void };
  if (nameOf(agent) !== "Agent" || agent.dispatch !== Object.getPrototypeOf(agent).dispatch) return false;
  if (options === undefined || !/^defaultFactory\d*$/.test(String(factory?.name))) return false;
  return [options, options.connect, options.tls].every((part) => !mayLeadElsewhere(part));
}

/** Finds what undici keeps of a dispatcher under symbols of its own. */
function partsOf(dispatcher: Dispatcher): Readonly<Record<string, unknown>> {
  const symbols = Object.getOwnPropertySymbols(dispatcher);
  return Object.fromEntries(symbols.map((symbol) => [symbol.description, dispatcher[symbol]]));
}

interface Connecting {
  readonly connect?: unknown;
  readonly tls?: unknown;
}

function mayLeadElsewhere(part: unknown): boolean {
  if (typeof part === "function") return true;
  const options = (part ?? {}) as Readonly<Record<string, unknown>>;
  return ["lookup", "path", "socketPath", "host", "port", "interceptors"].some(
    (name) => (options[name] ?? undefined) !== undefined,
  );
}

/** Finds the proxy that variables name for a protocol, and the hosts that are reached without it. */
export function proxyByVariables(variables: typeof VARIABLES, protocol: "http" | "https"): readonly string[] {
  const named = (name: string) => variables[name] || variables[name.toUpperCase()];
  const proxy = named(`${protocol}_proxy`) || named("all_proxy");
  return proxy ? [proxyName(proxy), named("no_proxy") || ""] : [];
}

/** Names a proxy without what it is unlocked by, which may be another text each day. */
export function proxyName(url: string): string {
  return url
    .replace(/.*:\/\//, "")
    .replace(/.*@/, "")
    .replace(/\/$/, "")
    .toLowerCase();
}

/** Says whether this is Node, and no runtime that has taken its name. */
export function isNodeItself(): boolean {
  return versions["bun"] === undefined && versions["deno"] === undefined;
}

export function untold(what: string): Error {
  return new Error(`where requests get to by ${what} cannot be told`);
}
