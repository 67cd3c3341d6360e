import { readFileSync } from "node:fs";
import { UsageError } from "../base/usage-error.js";
import { proxyFor } from "./proxy.js";
import { ForwardAgent, TunnelAgent } from "./proxy-agents.js";

/** How requests get to the store, where not directly, or not by the usual certificates. */
export interface Connection {
  readonly requestHandler?: { readonly httpAgent: ForwardAgent; readonly httpsAgent: TunnelAgent };
}

/** Where it was written, and which file. */
export interface CaBundle {
  readonly source: string;
  readonly path: string;
}

/** Plans the connection by environment variables; nothing where they say nothing. @throws UsageError for what is not a proxy or a file */
export function connectionFor(
  endpoint: string | undefined,
  caBundle: CaBundle | undefined,
  environment: NodeJS.ProcessEnv,
): Connection {
  const isProxied = proxyFor(new URL(endpoint ?? "https://s3.amazonaws.com"), environment) !== undefined;
  if (!isProxied && caBundle === undefined) return {};
  const ca = caBundle === undefined ? {} : { ca: readBundle(caBundle) };
  const proxyOf = (url: URL) => proxyFor(url, environment);
  return { requestHandler: { httpAgent: new ForwardAgent(proxyOf), httpsAgent: new TunnelAgent(proxyOf, ca) } };
}

function readBundle({ source, path }: CaBundle): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${source} ${JSON.stringify(path)} cannot be read: ${(error as Error).message}.`);
  }
}
