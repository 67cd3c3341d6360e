import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { beginRequest } from "../../../../test/store/handler.js";
import { endpointOf, endpointUrlOf, wayTo } from "./way.js";

async function way(config: S3ClientConfig, bucket = "locks"): Promise<string> {
  const client = new S3Client({ region: "eu-central-1", ...config });
  await beginRequest(client);
  return await wayTo(client, bucket);
}

const HERE = { endpoint: "http://store:9000", forcePathStyle: true };

it.each<[string, S3ClientConfig, S3ClientConfig]>([
  ["a slash at its end", HERE, { ...HERE, endpoint: "http://store:9000/" }],
  ["capitals in the host", HERE, { ...HERE, endpoint: "http://STORE:9000" }],
  ["the usual port", { endpoint: "https://store" }, { endpoint: "https://store:443" }],
  ["the usual port of HTTP", { endpoint: "http://store" }, { endpoint: "http://store:80" }],
  ["the region, where there is a URL", HERE, { ...HERE, region: "us-east-1" }],
])("is the same whatever %s", async (_, one, other) => {
  expect(await way(one)).toBe(await way(other));
});

it.each<[string, S3ClientConfig, S3ClientConfig]>([
  ["host", HERE, { ...HERE, endpoint: "http://other:9000" }],
  ["port", HERE, { ...HERE, endpoint: "http://store:9001" }],
  ["protocol", HERE, { ...HERE, endpoint: "https://store:9000" }],
  ["path", HERE, { ...HERE, endpoint: "http://store:9000/s3" }],
  ["style", HERE, { ...HERE, forcePathStyle: false }],
  ["region of AWS", {}, { region: "us-east-1" }],
  ["URL of AWS", {}, { useDualstackEndpoint: true }],
  ["URL of AWS for FIPS", {}, { useFipsEndpoint: true }],
  ["accelerated URL", {}, { useAccelerateEndpoint: true }],
])("is another one with another %s", async (_, one, other) => {
  expect(await way(one)).not.toBe(await way(other));
});

it("is written as what makes the URL, the style, and the bucket", async () => {
  expect(await way(HERE)).toBe('["http://store:9000","path","locks"]');
  expect(await way({})).toBe('["aws eu-central-1 ","host","locks"]');
  const all = { useDualstackEndpoint: true, useFipsEndpoint: true, useAccelerateEndpoint: true };
  expect(await way(all)).toBe('["aws eu-central-1 dualstack fips accelerate","host","locks"]');
});

it.each([
  [{ protocol: "https:", hostname: "Store", port: 443, path: "/" }, "https://store"],
  [{ protocol: "http:", hostname: "store", port: 80, path: "//" }, "http://store"],
  [{ protocol: "https:", hostname: "store", port: 80, path: "/s3/" }, "https://store:80/s3"],
  [{ protocol: "http:", hostname: "store", port: 443, path: "/" }, "http://store:443"],
])("the URL of %o is %s", async (endpoint, url) => {
  expect(await way({ endpoint: async () => endpoint, forcePathStyle: true })).toBe(`["${url}","path","locks"]`);
});

it("is another one for another bucket", async () => {
  expect(await way(HERE)).not.toBe(await way(HERE, "other"));
});

it("the endpoint of a client is what it was given in place of AWS's", async () => {
  type Endpoint = { readonly protocol: string; readonly hostname: string; readonly path: string };
  const told = async (config: S3ClientConfig) => {
    const endpoint = endpointOf(new S3Client({ region: "eu-central-1", ...config }));
    await new Promise((resolve) => setImmediate(resolve));
    return endpoint.url;
  };
  expect(await told({})).toBeUndefined();
  expect(await told({ endpoint: "http://store:9000/" })).toBe("http://store:9000");
  expect(await told({ endpoint: async () => ({ protocol: "https:", hostname: "store", path: "/s3" }) })).toBe(
    "https://store/s3",
  );
  const failing: () => Promise<Endpoint> = () => Promise.reject(new Error("no"));
  expect(await told({ endpoint: failing })).toBeUndefined();
  expect(endpointOf({ send() {} } as never)).toEqual({});
});

describe("goes by the agent of the protocol", () => {
  class OtherHttp extends HttpAgent {}
  class OtherHttps extends HttpsAgent {}
  const at = (protocol: string) => async () => ({ protocol, hostname: "store", path: "/" });
  it.each<[string, S3ClientConfig, boolean]>([
    ["of AWS's URL", {}, false],
    ["of AWS's URL without TLS", { tls: false }, true],
    ["of a URL", { endpoint: "http://store" }, true],
    ["of a URL with TLS", { endpoint: "https://store" }, false],
    ["that is told without a colon", { endpoint: at("http") }, true],
    ["that is told with one", { endpoint: at("http:") }, true],
    ["with TLS that is told without one", { endpoint: at("https") }, false],
  ])("%s", async (_, config, isPlain) => {
    const of = (plain: boolean) => (plain ? { httpAgent: new OtherHttp() } : { httpsAgent: new OtherHttps() });
    expect(await way({ ...config, requestHandler: of(!isPlain) })).toContain("locks");
    const untold = { message: "where requests get to by an agent cannot be told" };
    await expect(way({ ...config, requestHandler: of(isPlain) })).rejects.toMatchObject(untold);
  });

  it("and says by what it goes", async () => {
    const httpAgent = Object.assign(new OtherHttp(), { proxy: "http://proxy:3128" });
    expect(await way({ ...HERE, requestHandler: { httpAgent } })).toBe(
      '["http://store:9000","path","locks","proxy","proxy:3128"]',
    );
  });
});

it.each([[new URL("http://store:9000")], [{ hostname: "store" }], [{ protocol: "http:", hostname: "store" }]])(
  "an endpoint that the SDK makes no URL of cannot be told: %o",
  async (endpoint) => {
    for (const given of [endpoint, async () => endpoint]) {
      const client = new S3Client({ region: "eu-central-1", endpoint: given as never });
      expect(await endpointUrlOf(client)).toBeUndefined();
      expect(endpointOf(client)).toEqual({});
    }
  },
);
