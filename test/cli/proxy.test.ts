import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, request, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { isExempt, proxyFor } from "../../src/cli/store/proxy.js";
import { cli, type Environment, newFolder, startStore } from "./cli.js";
import { cliHere } from "./here.js";

/** Each process of the CLI takes a second to start, and more on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

const certificate = (name: string) => fileURLToPath(new URL(`certificates/${name}`, import.meta.url));
/** For the names `store.test` and all below it, which no resolver knows: the proxy does. */
const CA = certificate("store.test.pem");

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Starts a proxy that reaches every store at one port of this machine, and writes down what it was asked for. */
async function startProxy(storePort: number, refusal?: string) {
  const asked: { readonly line: string; readonly authorization: string | undefined }[] = [];
  const forward: RequestListener = (incoming, answer) => {
    asked.push({ line: `${incoming.method} ${incoming.url}`, authorization: incoming.headers["proxy-authorization"] });
    const { pathname, search } = new URL(incoming.url ?? "");
    const { method, headers } = incoming;
    incoming.pipe(
      request({ port: storePort, host: "127.0.0.1", path: pathname + search, method, headers }, (stored) => {
        answer.writeHead(stored.statusCode ?? 500, stored.headers);
        stored.pipe(answer);
      }),
    );
  };
  const server = createServer(forward);
  server.on("connect", ({ url, headers }, socket) => {
    asked.push({ line: `CONNECT ${url}`, authorization: headers["proxy-authorization"] });
    if (refusal !== undefined) return void socket.end(`HTTP/1.1 ${refusal}\r\n\r\n`);
    const store = connect(storePort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      store.pipe(socket).pipe(store);
    });
    const end = () => {
      store.destroy();
      socket.destroy();
    };
    for (const one of [store, socket]) one.on("error", end);
  });
  const port = await listening(server);
  return { asked, url: `http://127.0.0.1:${port}`, withPassword: `http://me:p%40ss@127.0.0.1:${port}` };
}

/** Starts the embedded store, and TLS in front of it. */
async function startTlsStore() {
  const { environment, server } = await startStore();
  const storePort = Number(new URL(server.endpoint).port);
  const [cert, key] = [readFileSync(CA), readFileSync(certificate("store.test.key.pem"))];
  const front = createTlsServer({ cert, key }, (incoming, answer) => {
    const { method, headers, url } = incoming;
    const options = { port: storePort, host: "127.0.0.1", path: url, method, headers };
    incoming.pipe(
      request(options, (stored) => {
        answer.writeHead(stored.statusCode ?? 500, stored.headers);
        stored.pipe(answer);
      }),
    );
  });
  const { AWS_ENDPOINT_URL_S3: _, ...rest } = environment as Record<string, string>;
  return { environment: rest as Environment, tlsPort: await listening(front), storePort };
}

const RUN = ["run", "--wait", "5s", "job", "--", "echo", "ran"];

test("S14: HTTPS_PROXY opens the way to a store with TLS, with the proxy's password", async () => {
  const { environment, tlsPort } = await startTlsStore();
  const proxy = await startProxy(tlsPort);
  const endpoint = ["--endpoint-url", "https://store.test", "--ca-bundle", CA];
  const there = { ...environment, HTTPS_PROXY: proxy.withPassword };
  const { exitCode, stdout, stderr } = await cli(["run", ...endpoint, ...RUN.slice(1)], there);
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "ran\n", stderr: "" });
  const authorization = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
  expect(new Set(proxy.asked.map((one) => JSON.stringify(one)))).toEqual(
    new Set([JSON.stringify({ line: "CONNECT store.test:443", authorization })]),
  );
});

test("S14: HTTP_PROXY is sent the requests themselves, and NO_PROXY exempts; the bucket's own host name, too", async () => {
  const { environment, storePort } = await startTlsStore();
  const proxy = await startProxy(storePort);
  const there = { ...environment, AWS_ENDPOINT_URL: "http://store.test:8000", http_proxy: proxy.url };
  expect(await cli(RUN, there)).toMatchObject({ exitCode: 0, stdout: "ran\n" });
  expect(proxy.asked[0]?.line).toMatch(/^\w+ http:\/\/store\.test:8000\/my-bucket\/locks\/job\.json/);
  const before = proxy.asked.length;
  const direct = await cli(["run", "--wait", "300ms", "job", "--", "true"], { ...there, NO_PROXY: ".test" });
  expect(direct).toMatchObject({ exitCode: 69, stderr: expect.stringContaining("store.test") });
  const here = { ...there, AWS_ENDPOINT_URL: `http://127.0.0.1:${storePort}` };
  expect(await cli(RUN, here)).toMatchObject({ exitCode: 0, stdout: "ran\n" });
  expect(proxy.asked).toHaveLength(before);
});

test("S14: a proxy that refuses, or is not there, is named without its password", async () => {
  const { environment, tlsPort } = await startTlsStore();
  const proxy = await startProxy(tlsPort, "407 Proxy Authentication Required");
  const there = { ...environment, AWS_ENDPOINT_URL: "https://store.test", AWS_CA_BUNDLE: CA };
  const impatient = ["run", "--wait", "3s", "job", "--", "true"];
  const refused = await cli(impatient, { ...there, HTTPS_PROXY: proxy.withPassword });
  expect(refused.exitCode).toBe(69);
  expect(refused.stderr).toContain(`the proxy ${proxy.url} (HTTPS_PROXY) refused the way to store.test:443: 407`);
  const unreachable = await cli(impatient, { ...there, HTTPS_PROXY: "http://me:secret@127.0.0.1:1" });
  expect(unreachable.stderr).toContain(
    "the proxy http://127.0.0.1:1 (HTTPS_PROXY) could not be reached: connect ECONNREFUSED",
  );
  expect(refused.stderr + unreachable.stderr).not.toMatch(/secret|p%40ss|p@ss/);
  const wrong = await cliHere(impatient, { ...there, HTTPS_PROXY: "socks5://127.0.0.1:1" });
  expect(wrong).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("HTTPS_PROXY is not the address of a proxy"),
  });
});

test("S14: the profile's endpoint_url, region and addressing, --profile before keys that happen to be set", async () => {
  const { environment, server } = await startStore();
  const folder = newFolder();
  const [config, credentials] = [join(folder, "config"), join(folder, "credentials")];
  writeFileSync(
    config,
    `[default]\nregion = eu-central-1\n[profile here]\nservices = mine\nregion = eu-west-9\n[services mine]\ns3 =\n  endpoint_url = ${server.endpoint}\n`,
  );
  writeFileSync(credentials, "[here]\naws_access_key_id = from-profile\naws_secret_access_key = x\n");
  const { AWS_ENDPOINT_URL_S3: _, ...rest } = environment as Record<string, string>;
  const there = { ...rest, AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials } as Environment;
  const shown = await cli(
    ["run", "--profile", "here", "job", "--", "sh", "-c", "echo $AWS_PROFILE/$AWS_ACCESS_KEY_ID"],
    there,
  );
  expect(shown).toMatchObject({ exitCode: 0, stdout: "/test\n", stderr: "" });
  expect(await cliHere(["ls"], { ...there, AWS_PROFILE: "here" })).toMatchObject({ exitCode: 0 });
  const unknown = await cliHere(["ls", "--profile", "unknown"], there);
  expect(unknown).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--profile "unknown": there is no such profile in'),
  });
});

test("--no-verify-ssl is refused in words", async () => {
  const { exitCode, stderr } = await cliHere(["ls", "--no-verify-ssl", "s3://b/locks/"]);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: expect.stringContaining("a machine that can pose as the store can give one lock to two"),
  });
});

test.each([
  ["https://s3.eu-central-1.amazonaws.com", ".amazonaws.com", true],
  ["https://b.s3.amazonaws.com", "amazonaws.com", true],
  ["https://notamazonaws.com", "amazonaws.com", false],
  ["https://store.test:9000", "store.test:9000", true],
  ["https://store.test:9000", "store.test:9001", false],
  ["https://store.test", "store.test:443", true],
  ["https://store.test", "a, b ,STORE.TEST", true],
  ["https://store.test", "*", true],
  ["https://store.test", "", false],
  ["http://10.0.0.7:9000", "10.0.0.7", true],
  ["http://[fd00::1]:9000", "fd00::1", true],
  ["http://[fd00::1]:9000", "[fd00::1]:9000", true],
])("S14: %s with NO_PROXY=%s", (endpoint, list, expected) => {
  expect(isExempt(new URL(endpoint), list)).toBe(expected);
});

test.each<[string, Environment, string | undefined]>([
  ["https://store.test", { HTTPS_PROXY: "http://p:1" }, "HTTPS_PROXY"],
  ["https://store.test", { HTTPS_PROXY: "http://p:1", https_proxy: "q:2" }, "https_proxy"],
  ["https://store.test", { HTTP_PROXY: "http://p:1" }, undefined],
  ["http://store.test", { HTTP_PROXY: "http://p:1", REQUEST_METHOD: "GET" }, undefined],
  ["https://store.test", { HTTPS_PROXY: "" }, undefined],
  ["http://localhost:9000", { HTTP_PROXY: "http://p:1" }, undefined],
  ["http://[::1]:9000", { HTTP_PROXY: "http://p:1" }, undefined],
])("S14: %s by %j", (endpoint, environment, source) => {
  expect(proxyFor(new URL(endpoint), environment)?.source).toBe(source);
});
