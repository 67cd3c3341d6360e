import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { realEffects } from "../../src/runtime/base/effects.js";
import { createS3Client } from "../../src/store/s3/client/client.js";
import { S3Store } from "../../src/store/s3/s3-store.js";
import { type Arrived, startGate } from "./gate.js";
import { clientFor, hurriedEffects, IF_ABSENT, OPTIONS, storeOver } from "./stub.js";

afterEach(() => void vi.unstubAllEnvs());

const tokenOf = ({ headers }: Arrived) => headers["x-amz-security-token"];
const credentials = (sessionToken: string) => ({ accessKeyId: "key", secretAccessKey: "secret", sessionToken });

/** Providers are asked a second apart: a pause that tests need not wait for. */
const hurriedSeconds = hurriedEffects((delayMs) => delayMs > 500 && delayMs <= 1_000);

/** Starts a store that takes only the token that is valid now. */
async function startBouncer(code = "ExpiredToken", status = 400) {
  const valid = { token: "one" };
  const gate = await startGate((request) => (tokenOf(request) === valid.token ? undefined : { status, code }));
  return { ...gate, valid };
}

it.each([
  ["ExpiredToken", 400],
  ["ExpiredToken", 403],
  ["ExpiredTokenException", 400],
  ["InvalidToken", 400],
  ["TokenRefreshRequired", 400],
  ["InvalidAccessKeyId", 403],
  ["InvalidTokenId", 403],
  ["InvalidSecurityToken", 403],
  ["InvalidSecurity", 403],
  ["SecurityTokenExpired", 401],
  ["RequestExpired", 403],
])(
  "S11: a function whose answer has changed is asked anew after %s (%i), once for all who find out",
  async (code, status) => {
    const { endpoint, valid } = await startBouncer(code, status);
    const provider = vi.fn(async () => credentials(valid.token));
    const store = storeOver(clientFor(endpoint, { credentials: provider }));
    expect(await store.write("a", "1", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
    valid.token = "two";
    const reads = await Promise.all(Array.from({ length: 10 }, () => store.read("a", OPTIONS)));
    expect(new Set(reads.map(({ kind }) => kind))).toEqual(new Set(["ok"]));
    expect(provider).toHaveBeenCalledTimes(2);
  },
);

it("S11: a store that says it in words only is understood, and one that denies is not asked twice", async () => {
  const valid = { token: "one", message: "The provided token has expired" };
  const { endpoint, sent } = await startGate((request) => {
    return tokenOf(request) === valid.token ? undefined : { status: 403, code: "AccessDenied", message: valid.message };
  });
  const provider = vi.fn(async () => credentials(valid.token));
  const store = storeOver(clientFor(endpoint, { credentials: provider }));
  await store.write("a", "1", IF_ABSENT, OPTIONS);
  valid.token = "two";
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
  Object.assign(valid, { token: "three", message: "Access Denied" });
  const before = sent("GET").length;
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "refused", error: { code: "access-denied" } });
  expect(sent("GET")).toHaveLength(before + 1);
});

it("S11: credentials that are renewed again and again are asked for each time", async () => {
  const { endpoint, valid } = await startBouncer();
  let nowMs = 0;
  const effects = { ...realEffects, monotonicMs: () => realEffects.monotonicMs() + nowMs };
  const client = clientFor(endpoint, { credentials: async () => credentials(valid.token) });
  const store = new S3Store({ client, bucketName: "locks", effects, keyPrefix: "locks/" });
  await store.write("a", "1", IF_ABSENT, OPTIONS);
  for (const token of ["two", "three", "one", "two"]) {
    valid.token = token;
    nowMs += 5_000;
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
  }
});

it("S11: credentials that the SDK has renewed by itself meanwhile are asked for anew when they run out, too", async () => {
  const { endpoint, valid } = await startBouncer();
  let nowMs = 0;
  const effects = { ...realEffects, monotonicMs: () => realEffects.monotonicMs() + nowMs };
  // Only the second ones say when they end, which is at once.
  const provider = async () => {
    const expiration = valid.token === "two" ? { expiration: new Date(Date.now() + 1_000) } : {};
    return { ...credentials(valid.token), ...expiration };
  };
  const client = clientFor(endpoint, { credentials: provider });
  const store = new S3Store({ client, bucketName: "locks", effects, keyPrefix: "locks/" });
  await store.write("a", "1", IF_ABSENT, OPTIONS);
  for (const token of ["two", "three", "four"]) {
    valid.token = token;
    nowMs += 5_000;
    expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
  }
});

it("S11: where there is nothing new, the store's words stand, and the provider is asked for all requests together", async () => {
  const { endpoint, sent, valid } = await startBouncer();
  const provider = vi.fn(async () => credentials("one"));
  const store = storeOver(clientFor(endpoint, { credentials: provider }));
  await store.read("a", OPTIONS);
  valid.token = "two";
  const reads = await Promise.all(Array.from({ length: 10 }, () => store.read("a", OPTIONS)));
  for (const read of reads) {
    expect(read).toMatchObject({
      kind: "refused",
      error: { code: "access-denied", message: expect.stringContaining("ExpiredToken") },
    });
  }
  expect(sent("GET")).toHaveLength(1 + 10);
  expect(provider.mock.calls.length).toBeLessThan(10);
});

it("S11: that there were no others a moment ago, of which another request was told, is not believed for long", async () => {
  const { endpoint, valid } = await startBouncer();
  const given = { token: "one" };
  const client = clientFor(endpoint, { credentials: async () => credentials(given.token) });
  const store = storeOver(client, { effects: hurriedSeconds });
  await store.write("a", "1", IF_ABSENT, OPTIONS);
  valid.token = "two";
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "refused" });
  given.token = "two";
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
});

it("S11: credentials that never worked are refused at once, also twice in a row", async () => {
  const { endpoint } = await startBouncer("InvalidAccessKeyId", 403);
  const provider = vi.fn(async () => credentials("wrong"));
  const store = storeOver(clientFor(endpoint, { credentials: provider }));
  for (let tries = 0; tries < 3; tries += 1) {
    const { timeoutMs } = OPTIONS;
    const giveUpAtMs = realEffects.monotonicMs() + timeoutMs;
    expect(await store.read("a", { timeoutMs, giveUpAtMs })).toMatchObject({ kind: "refused" });
  }
  expect(provider).toHaveBeenCalledTimes(2);
});

it.each([
  ["is empty", () => Promise.reject(new Error("no credentials in the file"))],
  ["has half of the text", async () => ({ accessKeyId: "key", secretAccessKey: "secret" })],
  ["is the old one still", async () => credentials("one")],
])("S11: a file that %s at the moment that it is read is read again", async (_, givesFirst) => {
  const { endpoint, valid } = await startBouncer();
  const provider = vi.fn(async (): Promise<ReturnType<typeof credentials>> => credentials(valid.token));
  const store = storeOver(clientFor(endpoint, { credentials: provider }), { effects: hurriedSeconds });
  await store.write("a", "1", IF_ABSENT, OPTIONS);
  valid.token = "two";
  provider.mockImplementationOnce(givesFirst as typeof provider);
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
});

it("S11: a provider that does not answer costs no more than the caller has", async () => {
  const { endpoint, valid } = await startBouncer();
  let calls = 0;
  const provider = () => (calls++ === 0 ? Promise.resolve(credentials("one")) : new Promise<never>(() => {}));
  const store = storeOver(clientFor(endpoint, { credentials: provider }));
  await store.read("a", OPTIONS);
  valid.token = "two";
  const startedAtMs = realEffects.monotonicMs();
  const giveUpAtMs = startedAtMs + 300;
  expect(await store.read("a", { ...OPTIONS, giveUpAtMs })).toMatchObject({ kind: "refused" });
  expect(realEffects.monotonicMs() - startedAtMs).toBeLessThan(2_000);
});

it("S11: a caller whose time is up while the provider of others hangs is told what the store has refused", async () => {
  const { endpoint, valid } = await startBouncer();
  let asked = 0;
  const provider = () => (asked++ === 0 ? Promise.resolve(credentials("one")) : new Promise<never>(() => {}));
  const s3Client = clientFor(endpoint, { credentials: provider });
  await using mutex = new S3Mutex({ s3Client, bucketName: "locks", verify: "never" });
  expect(await mutex.inspect("job")).toBeNull();
  valid.token = "two";
  await expect(mutex.acquire("job", { timeoutMs: 1500 })).rejects.toThrow(/400 ExpiredToken.*had not answered yet/);
}, 20_000);

it.each([
  ["hangs", () => new Promise<never>(() => {}), /refused to renew it.*400 ExpiredToken.*had not answered yet/],
  [
    "gives half",
    async () => ({ accessKeyId: "key" }),
    /400 ExpiredToken.*provider failed: it gave credentials without/,
  ],
  ["fails", () => Promise.reject(new Error("vault is sealed")), /400 ExpiredToken.*provider failed: vault is sealed/],
])(
  "S11: a lock that is lost while the provider of others %s says what the store has refused",
  async (_, next, said) => {
    const { endpoint, valid } = await startBouncer();
    let asked = 0;
    const provider = () => (asked++ === 0 ? Promise.resolve(credentials("one")) : (next() as Promise<never>));
    const s3Client = clientFor(endpoint, { credentials: provider });
    await using mutex = new S3Mutex({
      s3Client,
      bucketName: "locks",
      verify: "never",
      logger: { warn: () => {} } as never,
    });
    const lock = await mutex.acquire("job", { leaseMs: 4_000 });
    valid.token = "two";
    await vi.waitFor(() => expect(lock.signal.aborted).toBe(true), 10_000);
    expect(lock.signal.reason).toMatchObject({ code: "lost", reason: "store-unavailable" });
    expect(lock.signal.reason.message).toMatch(said);
  },
  20_000,
);

it("S11: a credentials file that was rewritten is read again, and the hold goes on", async () => {
  const { endpoint, valid, arrived } = await startBouncer();
  const file = join(await mkdtemp(join(tmpdir(), "credentials-")), "credentials");
  const write = (token: string) =>
    writeFile(file, `[default]\naws_access_key_id = key\naws_secret_access_key = s\naws_session_token = ${token}\n`);
  await write("one");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", file);
  vi.stubEnv("AWS_CONFIG_FILE", `${file}-none`);
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  const s3ClientConfig = { endpoint, region: "us-east-1", forcePathStyle: true };
  const mutex = new S3Mutex({ s3ClientConfig, bucketName: "locks", lockTimeoutMs: 5_000 });
  const lock = await mutex.acquire("job");
  const before = arrived.length;
  valid.token = "two";
  // As a program writes it that does not replace the file: emptied, and read by us, before the text is there.
  await writeFile(file, "");
  const renewing = lock.renew();
  await vi.waitFor(() => expect(arrived.length).toBeGreaterThan(before));
  await write("two");
  expect(await renewing).toBe(true);
  expect(lock.held).toBe(true);
  expect(await lock.release()).toBe(true);
  await mutex.close();
});

/** Starts a store that knows a key by its id, and takes only the signature of the secret that is valid now. */
async function startSigned(words: { status: number; code: string; message?: string }) {
  const valid = { secret: "secret" };
  const provider = vi.fn(async () => ({ accessKeyId: "key", secretAccessKey: valid.secret }));
  const gate = await startGate(({ headers }) => (headers["x-secret"] === valid.secret ? undefined : words));
  const client = clientFor(gate.endpoint, { credentials: provider });
  client.middlewareStack.add(
    (next, context) => (args) => {
      const { identity } = (context as unknown as Signed).__smithy_context.selectedHttpAuthScheme;
      Object.assign((args.request as { headers: object }).headers, { "x-secret": identity.secretAccessKey });
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
  return { ...gate, valid, provider, store: storeOver(client) };
}

interface Signed {
  readonly __smithy_context: {
    readonly selectedHttpAuthScheme: { readonly identity: { readonly secretAccessKey: string } };
  };
}

const NOT_ITS_SIGNATURE = [
  { status: 403, code: "SignatureDoesNotMatch" },
  { status: 401, code: "SignatureDoesNotMatch" },
  { status: 403, code: "InvalidAccessKeyId" },
  { status: 401, code: "Unauthorized" },
  { status: 403, code: "AccessDenied", message: "Forbidden: Invalid signature" },
  { status: 403, code: "AccessDenied", message: "Signature validation failed" },
];

it.each(NOT_ITS_SIGNATURE)("S11: a new secret of the same key id is found after %o", async (words) => {
  const { store, valid, provider, sent } = await startSigned(words);
  expect(await store.write("a", "1", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
  valid.secret = "another";
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok" });
  expect(sent("GET")).toHaveLength(2);
  expect(provider).toHaveBeenCalledTimes(2);
});

it("S11: requests that find a new secret out together ask once, and all of them are sent again", async () => {
  const { store, valid, provider } = await startSigned({ status: 403, code: "SignatureDoesNotMatch" });
  await store.write("a", "1", IF_ABSENT, OPTIONS);
  valid.secret = "another";
  const reads = await Promise.all(Array.from({ length: 10 }, () => store.read("a", OPTIONS)));
  expect(reads.map(({ kind }) => kind)).toEqual(reads.map(() => "ok"));
  expect(provider).toHaveBeenCalledTimes(2);
});

it("S11: a store that refuses the secret that there is is asked once a request, and its provider for all of them", async () => {
  const { store, valid, provider, sent } = await startSigned({ status: 403, code: "SignatureDoesNotMatch" });
  await store.write("a", "1", IF_ABSENT, OPTIONS);
  valid.secret = "another";
  provider.mockImplementation(async () => ({ accessKeyId: "key", secretAccessKey: "secret" }));
  const reads = await Promise.all(Array.from({ length: 10 }, () => store.read("a", OPTIONS)));
  for (const read of reads) {
    expect(read).toMatchObject({
      kind: "refused",
      error: { code: "access-denied", message: expect.stringContaining("SignatureDoesNotMatch") },
    });
  }
  expect(sent("GET")).toHaveLength(10);
  expect(provider.mock.calls.length).toBeLessThan(10);
});

it("S11: the chain of a client of ours reads files past the SDK's memory", () => {
  expect((createS3Client({ region: "us-east-1" }).config as { ignoreCache?: boolean }).ignoreCache).toBe(true);
});
