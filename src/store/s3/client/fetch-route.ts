// biome-ignore lint/style/noRestrictedImports: as what sends requests finds its proxies; a simulation has none.
import { env, versions } from "node:process";

/** The environment of this process. */
export const VARIABLES: Readonly<Record<string, string | undefined>> = env;

/**
 * Tells by what `fetch` sends the requests of a protocol, once it has sent one: by nothing, where they go straight to their URL.
 * @throws where that cannot be told, since something of the program's own sends them
 */
export function routeOfFetch(protocol: "http" | "https"): readonly string[] {
  const found = DISPATCHERS.map((symbol) => (globalThis as Partial<Record<symbol, object>>)[symbol]?.constructor.name);
  // One for older copies of undici, which leads to the other.
  const names = found.filter((name) => name !== undefined && name !== "Dispatcher1Wrapper");
  if (names.some((name) => name !== "Agent" && name !== "EnvHttpProxyAgent")) throw untold("a dispatcher");
  const proxies = proxyByVariables(VARIABLES, protocol);
  // Node goes by its environment where it was told to, and the runtimes that have no such dispatcher always do.
  const goesByVariables = names.includes("EnvHttpProxyAgent") || (names.length === 0 && proxies.length > 0);
  return goesByVariables ? ["fetch", ...proxies] : [];
}

/** Where Node's `fetch` finds what sends its requests: which one counts is a matter of the release. */
const DISPATCHERS = [1, 2].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));

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
