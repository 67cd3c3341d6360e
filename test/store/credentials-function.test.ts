import { expect, it } from "vitest";
import { startS3Server } from "../../src/testing/index.js";
import { startGate } from "./gate.js";
import { clientAnswering, refusing } from "./handler.js";
import { CREDENTIALS, clientFor, hurriedEffects, IF_ABSENT, OPTIONS, storeOver } from "./stub.js";

const refusedConnection = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:443"), { code: "ECONNREFUSED" });

it.each<[string, () => unknown, string, string, string]>([
  ["an Error", () => new Error("vault said no"), "refused", "access-denied", "vault said no"],
  ["a text", () => "no vault", "refused", "access-denied", "no vault"],
  ["an object", () => ({}), "refused", "access-denied", "it threw no Error"],
  ["nothing", () => undefined, "refused", "access-denied", "it threw no Error"],
  ["a denial", () => Object.assign(new Error("denied"), { status: 403 }), "refused", "access-denied", "denied"],
  [
    "a service that is down",
    () => Object.assign(new Error("down"), { status: 503 }),
    "unknown",
    "store-unavailable",
    "down",
  ],
  [
    "a fetch that failed",
    () => new TypeError("fetch failed", { cause: refusedConnection }),
    "unknown",
    "store-unavailable",
    "fetch failed",
  ],
  [
    "a fetch that does not say why",
    () => new TypeError("fetch failed"),
    "unknown",
    "store-unavailable",
    "fetch failed",
  ],
  ["a time-out", () => new DOMException("too late", "TimeoutError"), "unknown", "store-unavailable", "too late"],
])(
  "a credentials function that rejects with %s is told as what failed, in its own words",
  async (_, thrown, kind, code, words) => {
    await using server = await startS3Server({ buckets: ["locks"] });
    const fails = async () => {
      throw thrown();
    };
    const outcome = await storeOver(clientFor(server.endpoint, { credentials: fails })).write(
      "a",
      "1",
      IF_ABSENT,
      OPTIONS,
    );
    expect(outcome).toMatchObject({ kind, error: { code, message: expect.stringContaining(words) } });
    expect(outcome).toMatchObject({ error: { message: expect.not.stringContaining("could not be built") } });
    expect(server.requests.total).toBe(0);
  },
);

it("one that has given credentials before may give some again", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  let isDown = false;
  const expiration = new Date(Date.now() + 1_000);
  const credentials = async () => {
    if (isDown) throw new Error("vault said no");
    return { accessKeyId: "a", secretAccessKey: "b", expiration };
  };
  const store = storeOver(clientFor(server.endpoint, { credentials }));
  expect(await store.write("a", "1", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
  isDown = true;
  expect(await store.read("a", OPTIONS)).toMatchObject({
    kind: "unknown",
    sent: false,
    error: { code: "store-unavailable" },
  });
  isDown = false;
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
});

/** Makes a store whose provider rejects with this, or gives it, at the one call after it was told to. Its credentials end at once. */
function failingOnce(endpoint: string, fail: () => unknown) {
  const next = { fails: false };
  const expiration = new Date(Date.now() + 1_000);
  const credentials = async () => {
    const { fails } = next;
    next.fails = false;
    return fails ? (fail() as never) : { ...CREDENTIALS, expiration };
  };
  return { store: storeOver(clientFor(endpoint, { credentials })), next };
}

const REJECTIONS: readonly [string, unknown][] = [
  ["an Error", new Error("pool exhausted")],
  ["a text", "pool exhausted"],
  ["nothing", undefined],
  ["a TypeError", new TypeError("Cannot read properties of undefined (reading 'AccessKeyId')")],
];

it.each(REJECTIONS)(
  "a function that rejects once with %s, and then gives some, costs no request",
  async (_, thrown) => {
    await using server = await startS3Server({ buckets: ["locks"] });
    const { store, next } = failingOnce(server.endpoint, () => Promise.reject(thrown));
    next.fails = true;
    expect(await store.write("a", "1", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
    next.fails = true;
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
    expect(next.fails).toBe(false);
    expect(server.requests.total).toBe(2);
  },
);

const UNUSABLE: readonly [string, unknown][] = [
  ["an empty object", {}],
  ["no secret", { accessKeyId: "key" }],
  ["a line break in the access key", { ...CREDENTIALS, accessKeyId: "key\n" }],
  ["a line break in the token", { ...CREDENTIALS, sessionToken: "token\n" }],
  ["nothing", undefined],
  ["null", null],
];

it.each(UNUSABLE)("credentials that cannot sign are not kept: %s, given once", async (_, given) => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const { store, next } = failingOnce(server.endpoint, () => given);
  expect(await store.write("a", "1", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
  next.fails = true;
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
  expect(next.fails).toBe(false);
});

it.each(UNUSABLE)("nor are they where they are the first ones: %s", async (_, given) => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const { store, next } = failingOnce(server.endpoint, () => given);
  next.fails = true;
  expect(await store.write("a", "1", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
});

it.each([...UNUSABLE, ["empty texts", { accessKeyId: "", secretAccessKey: "" }]])(
  "nor are they as those after the ones that have expired: %s",
  async (_, given) => {
    const valid = { token: "one" };
    const { endpoint } = await startGate(({ headers }) =>
      headers["x-amz-security-token"] === valid.token ? undefined : { status: 400, code: "ExpiredToken" },
    );
    const next = { isUnusable: false };
    const credentials = async () => {
      const { isUnusable } = next;
      next.isUnusable = false;
      return isUnusable ? (given as never) : { ...CREDENTIALS, sessionToken: valid.token };
    };
    const effects = hurriedEffects((delayMs) => delayMs > 500 && delayMs <= 1_000);
    const store = storeOver(clientFor(endpoint, { credentials }), { effects });
    expect(await store.write("a", "1", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
    Object.assign(valid, { token: "two" });
    next.isUnusable = true;
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
    expect(next.isUnusable).toBe(false);
  },
);

it("where all that come after have no keys, it is said what is missing, and that may pass", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  let given: unknown = { ...CREDENTIALS, expiration: new Date(Date.now() + 1_000) };
  const effects = hurriedEffects((delayMs) => delayMs > 500 && delayMs <= 1_000);
  const store = storeOver(clientFor(server.endpoint, { credentials: async () => given as never }), { effects });
  expect(await store.write("a", "1", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
  given = {};
  expect(await store.read("a", OPTIONS)).toMatchObject({
    kind: "unknown",
    sent: false,
    error: {
      code: "store-unavailable",
      message: expect.stringMatching(/have no `accessKeyId` or no `secretAccessKey`/),
    },
  });
});

it("a region that is missing is not put down to the credentials", async () => {
  const region = async () => {
    throw new Error("Region is missing");
  };
  const fails = async () => {
    throw new Error("vault said no");
  };
  const store = storeOver(clientFor("http://127.0.0.1:1", { region, credentials: fails }));
  const outcome = await store.write("a", "1", IF_ABSENT, OPTIONS);
  expect(outcome).toMatchObject({
    kind: "refused",
    error: { code: "invalid-argument", message: expect.stringContaining("Region is missing") },
  });
});

it.each<[string, unknown]>([
  ["variables that are not set", { accessKeyId: undefined, secretAccessKey: undefined }],
  ["an empty object", {}],
  ["no secret", { accessKeyId: "a" }],
  ["a text", "a:b"],
  ["a function that gives an empty object", async () => ({})],
])("credentials without keys are named: %s", async (_, credentials) => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const outcome = await storeOver(clientFor(server.endpoint, { credentials: credentials as never })).read("a", OPTIONS);
  expect(outcome).toMatchObject({ kind: "refused", error: { code: "access-denied" } });
  const said = (outcome as { error: Error }).error.message;
  expect(said).toMatch(/was not sent .*The credentials of the S3 client have no `accessKeyId` or no `secretAccessKey`/);
  expect(server.requests.total).toBe(0);
});

it.each([
  ["accessKeyId", { accessKeyId: "a\n", secretAccessKey: "b" }],
  ["sessionToken", { accessKeyId: "a", secretAccessKey: "b", sessionToken: "c\r\n" }],
])("a line break in %s is refused at once, as it would be each time", async (name, credentials) => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const outcome = await storeOver(clientFor(server.endpoint, { credentials })).write("a", "1", IF_ABSENT, OPTIONS);
  expect(outcome).toMatchObject({ kind: "refused", error: { code: "invalid-argument" } });
  const said = (outcome as { error: Error }).error.message;
  expect(said).toMatch(/was not sent .*A line break, or another character/);
  expect(said).toContain(`\`${name}\``);
  expect(server.requests.total).toBe(0);
});

it.each([false, true])(
  "why there are no others is quoted where the store says that they have expired (fails: %s)",
  async (fails) => {
    let asked = 0;
    const credentials = async () => {
      asked += 1;
      if (fails && asked > 1) throw new Error("vault is sealed");
      return CREDENTIALS;
    };
    const { client } = clientAnswering(() => refusing(400, "ExpiredToken"), { credentials });
    const outcome = await storeOver(client).read("a", OPTIONS);
    expect(outcome).toMatchObject({ kind: "refused", error: { code: "access-denied", cause: expect.any(Error) } });
    const words = / Asked for others, the credentials provider failed: vault is sealed\.$/;
    expect(words.test((outcome as { error: Error }).error.message)).toBe(fails);
  },
);
