import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type StoreCheckId, verifyStore } from "../../src/index.js";
import { type FaultRule, type S3Server, startS3Server } from "../../src/testing/index.js";
import { IN_FULL } from "../scale.js";
import { type Arrived, type Refusal, startGate } from "../store/gate.js";
import { clientFor } from "../store/stub.js";

const TIMEOUT = { timeout: 120_000 };
const BUCKET = "locks";
const FEW_ROUNDS = 2;

async function startStore(): Promise<S3Server> {
  const server = await startS3Server({ buckets: [BUCKET] });
  onTestFinished(() => server.close());
  return server;
}

/** Examines a store that is reached by a second way, too; `onCheck` is told of each check that is done. */
async function examine(
  server: { readonly endpoint: string },
  gateway: string | undefined,
  onCheck: (id: StoreCheckId) => void = () => {},
) {
  const examination = verifyStore({
    s3Client: clientFor(server.endpoint),
    otherClients: gateway === undefined ? [] : [clientFor(gateway)],
    bucketName: BUCKET,
    rounds: FEW_ROUNDS,
    onCheck: ({ id }) => onCheck(id),
  });
  return await examination.catch((error: Error & { code?: string }) => ({
    code: error.code,
    message: error.message,
  }));
}

const status = (status: number, code: string): FaultRule => ({ fault: "status", status, code });

test.each([
  ["refuses connections", undefined, "store-unavailable", /does not answer.*ECONNREFUSED/s],
  ["closes each connection", { fault: "drop-before" }, "store-unavailable", /does not answer/],
  ["has lost its store", { fault: "page", status: 502, body: "<html>Bad Gateway</html>" }, "store-unavailable", /502/],
  ["turns all away", { fault: "page", status: 403, body: "<html>Forbidden</html>" }, "store-unavailable", /Forbidden/],
  ["says yes to all", { fault: "page", status: 200, body: "<html>hotel</html>" }, "store-unavailable", /hotel/],
  ["is overloaded all the time", status(503, "SlowDown"), "store-unavailable", /503 SlowDown/],
  ["does not know the key", status(403, "InvalidAccessKeyId"), "access-denied", /InvalidAccessKeyId/],
  ["has another secret", status(403, "SignatureDoesNotMatch"), "access-denied", /SignatureDoesNotMatch/],
  ["does not have the bucket", status(404, "NoSuchBucket"), "no-such-bucket", /bucket/],
] as const)("a gateway that %s is not a verdict about the store", TIMEOUT, async (_, rule, code, message) => {
  const store = await startStore();
  const gateway = await startGate(() => undefined);
  if (rule !== undefined) gateway.server.faults.add(rule);
  const endpoint = rule === undefined ? "http://127.0.0.1:1" : gateway.endpoint;
  const tried: StoreCheckId[] = [];
  const found = await examine(store, endpoint, (id) => tried.push(id));
  expect(found).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(found).toMatchObject({ message: expect.stringContaining(`The gateway ${endpoint}`) });
  // An answer is said, and not called silence.
  const isAnswer = rule !== undefined && rule.fault !== "drop-before";
  if (isAnswer) expect(found).toMatchObject({ message: expect.not.stringContaining("does not answer,") });
  expect(tried).toEqual(["clean-up"]);
  expect(store.objects(BUCKET)).toEqual([]);
});

test.each([
  ["takes no write", status(403, "InvalidAccessKeyId"), "access-denied"],
  ["is down", status(500, "InternalError"), "store-unavailable"],
] as const)("where the store itself %s, the gateway is not named for it", TIMEOUT, async (_, rule, code) => {
  const store = await startStore();
  store.faults.add(rule);
  const found = await examine(store, store.endpoint.replace("127.0.0.1", "localhost"));
  expect(found).toMatchObject({ code, message: expect.not.stringContaining("gateway") });
});

test.runIf(IN_FULL)("a gateway that never answers is named before half a minute is over", TIMEOUT, async () => {
  const store = await startStore();
  const gateway = await startStore();
  gateway.faults.add({ fault: "never-answer" });
  const startedAtMs = Date.now();
  const found = await examine(store, gateway.endpoint);
  expect(found).toMatchObject({ code: "store-unavailable", message: expect.stringContaining(gateway.endpoint) });
  expect(Date.now() - startedAtMs).toBeLessThan(30_000);
});

test.each([
  ["refuses everything", { status: 403, code: "AccessDenied" }, /allows: s3:PutObject is answered 403 AccessDenied$/],
  [
    "refuses reads",
    { status: 403, code: "AccessDenied", method: "GET" },
    /allows: s3:GetObject is answered 403 AccessDenied$/,
  ],
  [
    "refuses writes",
    { status: 403, code: "AccessDenied", method: "PUT" },
    /gateway .* refuses what the store allows: s3:PutObject is answered 403 AccessDenied$/,
  ],
] as const)(
  "a gateway that %s is said to do so, and nothing is said of the bucket's permissions",
  TIMEOUT,
  async (_, rule, detail) => {
    const { server, endpoint } = await startGate(({ method }) =>
      !("method" in rule) || method === rule.method ? rule : undefined,
    );
    const found = await examine(server, endpoint);
    const failed = "checks" in found ? found.checks.filter(({ verdict }) => verdict !== "pass") : [];
    expect(failed).toMatchObject([{ id: "gateways", verdict: "fail", detail: expect.stringMatching(detail) }]);
  },
);

test("an ingress that does not know the bucket's path is not a store", TIMEOUT, async () => {
  const store = await startStore();
  const other = await startStore();
  other.faults.add({ fault: "page", status: 404, body: "404 page not found", contentType: "text/plain" });
  const found = await examine(store, other.endpoint);
  expect(found).toMatchObject({ code: "store-unavailable", message: expect.stringContaining(other.endpoint) });
});

test.runIf(IN_FULL).each([true, false])(
  "what falls silent in the middle is named (a gateway: %s)",
  { timeout: 120_000 },
  async (isGateway) => {
    const store = await startStore();
    const way = await startWay(store.endpoint);
    const [first, second] = isGateway ? [store, way.endpoint] : [way, undefined];
    const found = await examine(first, second, (id) => id === "etag-form" && way.fallSilent());
    const name = isGateway ? `The gateway ${way.endpoint}` : "The store";
    expect(found).toMatchObject({ code: "store-unavailable" });
    expect(found).toMatchObject({ message: expect.stringContaining(`${name} has stopped answering`) });
  },
);

/** Starts a way to a store that keeps its connections and hands nothing on any more, when it is told so. */
async function startWay(endpoint: string) {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  let isSilent = false;
  const way = createServer((socket) => {
    const onward = connect(Number(port), hostname);
    for (const one of [socket, onward]) sockets.add(one.on("error", () => one.destroy()));
    socket.on("data", (chunk) => isSilent || onward.write(chunk));
    onward.on("data", (chunk) => isSilent || socket.write(chunk));
    socket.on("close", () => onward.destroy());
  });
  await new Promise<void>((resolve) => way.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const one of sockets) one.destroy();
    way.close();
  });
  const fallSilent = () => {
    isSilent = true;
  };
  return { endpoint: `http://127.0.0.1:${(way.address() as AddressInfo).port}`, fallSilent };
}

/** From this check on, all that comes to the gate is answered as one that has lost what is behind it would. */
const ALL_DEATHS: readonly StoreCheckId[] = [
  "etag-form",
  "create-twice",
  "bodies",
  "create-race",
  "lost-updates",
  "date",
];
const DEATHS = IN_FULL ? ALL_DEATHS : ALL_DEATHS.slice(1, 2);

test.each(DEATHS)("a gateway that goes away after %s leaves no verdict", TIMEOUT, async (last) => {
  const gate = await startDying();
  const found = await examine(gate.server, gate.endpoint, (id) => gate.dieAfter(id, last));
  expect(found).toMatchObject({ code: "store-unavailable", message: expect.stringContaining(NO_USE_ANY_MORE) });
  expect(found).toMatchObject({ message: expect.stringContaining(gate.endpoint) });
  expect(gate.server.objects(BUCKET).map(({ key }) => key)).toEqual([]);
});

test.each(DEATHS)("a store that goes away after %s leaves no verdict", TIMEOUT, async (last) => {
  const gate = await startDying();
  const found = await examine(gate, undefined, (id) => gate.dieAfter(id, last));
  expect(found).toMatchObject({ code: "store-unavailable", message: expect.stringContaining(NO_USE_ANY_MORE) });
});

const NO_USE_ANY_MORE = "gives no usable answers any more";

async function startDying() {
  let isDead = false;
  const refuse = (_: Arrived): Refusal | undefined =>
    isDead ? { status: 502, code: "", document: "<html>Bad Gateway</html>" } : undefined;
  const gate = await startGate(refuse);
  const dieAfter = (id: StoreCheckId, last: StoreCheckId) => {
    isDead ||= id === last;
  };
  return { ...gate, dieAfter };
}

test("a store that answers all but one kind of request is examined all the same", TIMEOUT, async () => {
  const { endpoint } = await startGate(({ method, headers }) =>
    method === "PUT" && headers["if-match"] !== undefined ? { status: 500, code: "InternalError" } : undefined,
  );
  expect(await examine({ endpoint }, undefined)).toMatchObject({ verdict: "fail" });
});

test("a gateway to another store is said to be one, and nothing else is judged", TIMEOUT, async () => {
  const [store, other] = [await startStore(), await startStore()];
  const found = await examine(store, other.endpoint);
  expect(found).toMatchObject({ verdict: "fail" });
  const checks = "checks" in found ? found.checks : [];
  const failed = checks.filter(({ verdict }) => verdict === "fail");
  expect(failed).toMatchObject([
    { id: "gateways", detail: expect.stringContaining(other.endpoint), remedy: expect.stringMatching(/another store/) },
  ]);
  expect(checks.some(({ id }) => id === "create-twice")).toBe(false);
  expect([...store.objects(BUCKET), ...other.objects(BUCKET)]).toEqual([]);
});

test.each([
  ["if-match", true, /^the gateway (\S+) ignores If-Match, which the store honours otherwise$/],
  ["if-none-match", true, /^the gateway (\S+) ignores If-None-Match: \*, which the store honours otherwise$/],
  ["if-match", false, /^the store's own endpoint ignores If-Match, which the gateway (\S+) honours$/],
] as const)(
  "where %s is dropped on one way (a gateway: %s), that way is named",
  TIMEOUT,
  async (dropped, isGateway, detail) => {
    const gate = await startGate(() => undefined, {}, { drops: () => [dropped] });
    const [first, second] = isGateway ? [gate.server, gate.endpoint] : [gate, gate.server.endpoint];
    const found = await examine(first, second);
    const failed = "checks" in found ? found.checks.filter(({ verdict }) => verdict === "fail") : [];
    expect(failed).toMatchObject([{ id: "gateways", remedy: expect.stringContaining("Do not lock over it") }]);
    expect(detail.exec(failed[0]?.detail ?? "")?.[1]).toBe(second);
    expect(gate.server.objects(BUCKET)).toEqual([]);
  },
);

test("where a store ignores conditions on all ways, no gateway is named for it", TIMEOUT, async () => {
  const { server, endpoint } = await startGate(() => undefined, { quirks: { ignoreIfMatch: true } });
  const found = await examine(server, endpoint);
  const checks = "checks" in found ? found.checks : [];
  expect(checks.filter(({ id }) => id === "gateways")).toMatchObject([{ verdict: "pass" }]);
  expect(checks.filter(({ id }) => id === "stale-if-match")).toMatchObject([{ verdict: "fail" }]);
});
