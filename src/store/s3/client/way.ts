import type { S3Client } from "@aws-sdk/client-s3";
import { routeOf } from "./route.js";

/**
 * Describes how a client reaches a bucket, as a text: equal for all that go to the same URL in the same style and by the same proxy, if any.
 * Two names of one machine are two ways, and so is a proxy: what is known of one says nothing about the other. Servers behind one URL are
 * not told apart.
 * @throws where that cannot be told, as of an agent that may connect to anything, or of middleware
 */
export async function wayTo(client: S3Client, bucket: string): Promise<string> {
  const { config } = client;
  const [endpoint, region, isDualstack, isFips] = await Promise.all([
    config.endpoint?.(),
    config.region(),
    config.useDualstackEndpoint(),
    config.useFipsEndpoint(),
  ]);
  const variant = [isDualstack && "dualstack", isFips && "fips", config.useAccelerateEndpoint && "accelerate"];
  const url = endpoint === undefined ? `aws ${region} ${variant.filter(Boolean).join(" ")}` : urlOf(endpoint);
  const isPlain = endpoint === undefined ? !config.tls : !endpoint.protocol.startsWith("https");
  const route = await routeOf(client, isPlain ? "http" : "https");
  return JSON.stringify([url, config.forcePathStyle ? "path" : "host", bucket, ...route]);
}

/** Finds the URL that a client was given in place of AWS's; its configuration tells that a moment later, if at all. */
export function endpointOf(client: S3Client): { readonly url?: string } {
  const found: { url?: string } = {};
  void endpointUrlOf(client).then((url) => {
    if (url !== undefined) found.url = url;
  });
  return found;
}

/** Finds the same, for callers that can wait for it; undefined where there is none, or none that can be told. */
export function endpointUrlOf({ config }: S3Client): Promise<string | undefined> {
  // Some clients in tests are no more than a function that sends.
  const asked = config?.endpoint?.();
  return asked === undefined ? Promise.resolve(undefined) : asked.then(urlOf).catch(() => undefined);
}

interface Endpoint {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
}

function urlOf({ protocol, hostname, port, path }: Endpoint): string {
  const scheme = protocol.replace(/:$/, "");
  const isUsual = port === undefined || port === (scheme === "https" ? 443 : 80);
  return `${scheme}://${hostname.toLowerCase()}${isUsual ? "" : `:${port}`}${path.replace(/\/+$/, "")}`;
}
