import { isIPv4 } from "node:net";
import { UsageError } from "../base/usage-error.js";

/** A proxy, and the variable that names it. */
export interface HttpProxy {
  readonly url: URL;
  readonly source: string;
}

/**
 * Finds the proxy for requests to this endpoint, by the variables that the AWS CLI goes by; in small letters they count first. None for
 * this machine itself: what a proxy elsewhere calls localhost is another store.
 */
export function proxyFor(endpoint: URL, environment: NodeJS.ProcessEnv): HttpProxy | undefined {
  const source = variableOf(endpoint.protocol === "https:" ? "https_proxy" : "http_proxy", environment);
  const text = source === undefined ? "" : (environment[source] ?? "");
  if (source === undefined || text === "" || isLoopback(endpoint.hostname)) return undefined;
  // In a CGI program a request's header `Proxy` would be HTTP_PROXY.
  if (source === "HTTP_PROXY" && environment["REQUEST_METHOD"] !== undefined) return undefined;
  const exempt = variableOf("no_proxy", environment);
  if (exempt !== undefined && isExempt(endpoint, environment[exempt] ?? "")) return undefined;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return { url: new URL(url), source };
  throw new UsageError(`${source} is not the address of a proxy: write http://HOST:PORT.`);
}

function variableOf(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  return [name, name.toUpperCase()].find((one) => (environment[one] ?? "") !== "");
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || (isIPv4(hostname) && hostname.startsWith("127."));
}

/** Says whether an endpoint is in a list: `*`, or names with all that is below them, with or without a dot before and a port behind. */
export function isExempt(endpoint: URL, list: string): boolean {
  const port = endpoint.port || (endpoint.protocol === "https:" ? "443" : "80");
  const host = endpoint.hostname.toLowerCase().replace(/^\[|\]$/g, "");
  return list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== "")
    .some((entry) => {
      if (entry === "*") return true;
      const [, name = "", only] = /^\.*(.*?)(?::(\d+))?$/.exec(entry.replace(/^\[(.*)\]/, "$1")) ?? [];
      if (entry === host) return true;
      return (only === undefined || only === port) && (host === name || host.endsWith(`.${name}`));
    });
}
