import { expect, it } from "vitest";
import type { S3Store } from "../../src/store/s3/s3-store.js";
import { type S3Server, type StoreQuirks, startS3Server } from "../../src/testing/index.js";
import { OF_S3 } from "./handler.js";
import { clientFor, hurriedEffects, IF_ABSENT, ifMatch, OPTIONS, startStub, storeOver } from "./stub.js";

const PROBE = /\.s3-mutex\/probe-/;

function serve(quirks: StoreQuirks): Promise<S3Server> {
  return startS3Server({ buckets: ["locks"], quirks });
}

/** Does what the runtime does: on a conflict, reads, and writes again if the object is the one that was meant. */
async function replaceWithReread(store: S3Store, key: string, etag: string, body: string) {
  const first = await store.write(key, body, ifMatch(etag), OPTIONS);
  if (first.kind !== "conflict") return { first, second: undefined };
  const read = await store.read(key, OPTIONS);
  if (read.kind !== "ok") return { first, second: read };
  return { first, second: await store.write(key, body, ifMatch(read.etag), OPTIONS) };
}

async function created(store: S3Store, key: string, body = `{"id":"${key}"}`): Promise<string> {
  const outcome = await store.write(key, body, IF_ABSENT, OPTIONS);
  if (outcome.kind !== "ok") throw new Error(outcome.kind);
  return outcome.etag;
}

const probeRequests = (server: S3Server) =>
  server.recentRequests.filter(({ key }) => key !== undefined && PROBE.test(key));

it("learns that a store compares unquoted ETags, and returns them as they are all the same", async () => {
  await using server = await serve({ etagForm: "unquoted-only" });
  const store = storeOver(clientFor(server.endpoint));
  const etag = await created(store, "a");
  expect(etag).toMatch(/^".*"$/);
  const { first, second } = await replaceWithReread(store, "a", etag, "two");
  expect(first.kind).toBe("conflict");
  expect(second).toMatchObject({ kind: "ok", etag: expect.stringMatching(/^".*"$/) });
  if (second?.kind !== "ok") return;
  expect(await store.write("a", "three", ifMatch(second.etag), OPTIONS)).toMatchObject({ kind: "ok" });
  expect(await store.write("a", "four", ifMatch(second.etag), OPTIONS)).toMatchObject({ kind: "conflict" });
});

it("shares what it learnt among the stores of a client, probes once, and leaves nothing behind", async () => {
  await using server = await serve({ etagForm: "unquoted-only" });
  const client = clientFor(server.endpoint);
  const store = storeOver(client);
  const keys = ["a", "b", "c", "d"];
  const etags = await Promise.all(keys.map((key) => created(store, key)));
  const results = await Promise.all(keys.map((key, n) => replaceWithReread(store, key, etags[n] ?? "", `two ${key}`)));
  expect(results.map(({ second }) => second?.kind)).toEqual(["ok", "ok", "ok", "ok"]);
  expect(probeRequests(server).filter(({ operation }) => operation === "PutObject")).toHaveLength(4);
  expect(server.objects("locks").map(({ key }) => key)).toEqual(keys);
  const other = storeOver(client);
  expect(await other.write("a", "three", ifMatch(etags[0] ?? ""), OPTIONS)).toMatchObject({ kind: "conflict" });
  const read = await other.read("a", OPTIONS);
  expect(read.kind === "ok" && (await other.write("a", "three", ifMatch(read.etag), OPTIONS)).kind).toBe("ok");
});

it("does not probe where a conflict is a conflict", async () => {
  await using server = await serve({});
  const store = storeOver(clientFor(server.endpoint));
  const etag = await created(store, "a");
  server.putObject("locks", "a", "another client's");
  await replaceWithReread(store, "a", etag, "two");
  expect(probeRequests(server)).toEqual([]);
});

it("does not change the form because of a 409 that came by chance", async () => {
  await using server = await serve({ etagForm: "quoted-only" });
  const store = storeOver(clientFor(server.endpoint));
  const etag = await created(store, "a");
  server.faults.add({ fault: "status", status: 409, operation: "PutObject", key: "a", times: 1 });
  // Another strikes the probe itself, which asks once more before it condemns a store.
  server.faults.add({ fault: "status", status: 409, operation: "PutObject", key: PROBE, skip: 1, times: 1 });
  const { first, second } = await replaceWithReread(store, "a", etag, "two");
  expect(first.kind).toBe("conflict");
  expect(second).toMatchObject({ kind: "ok" });
});

it("after one success a conflict on the right ETag is never again taken for a matter of form", async () => {
  await using server = await serve({});
  const store = storeOver(clientFor(server.endpoint));
  const first = await store.write("a", "two", ifMatch(await created(store, "a")), OPTIONS);
  server.faults.add({ fault: "status", status: 409, operation: "PutObject", times: 1 });
  await replaceWithReread(store, "a", first.kind === "ok" ? first.etag : "", "three");
  expect(probeRequests(server)).toEqual([]);
});

it("refuses a store that accepts a stale unquoted ETag", async () => {
  let writes = 0;
  // Takes any ETag without quotes and none with them.
  const stub = await startStub((request, response) => {
    const condition = request.headers["if-match"];
    if (request.method === "PUT" && condition?.startsWith('"')) return void response.writeHead(412).end();
    if (request.method === "PUT") writes += 1;
    response.writeHead(200, { ...OF_S3, etag: `"${request.method === "PUT" ? writes : "lock"}"` });
    return void response.end(request.method === "PUT" ? "" : "{}");
  });
  const store = storeOver(clientFor(stub.endpoint));
  const { second } = await replaceWithReread(store, "a", '"lock"', "two");
  expect(second).toMatchObject({
    kind: "refused",
    error: { code: "store-unsafe", message: expect.stringContaining("no longer the object's") },
  });
});

it("refuses a store that recognises an ETag in no form", async () => {
  const stub = await startStub((request, response) => {
    const refused = request.method === "PUT" && request.headers["if-match"] !== undefined;
    response.writeHead(refused ? 412 : 200, { ...OF_S3, etag: '"lock"' }).end(request.method === "PUT" ? "" : "{}");
  });
  const store = storeOver(clientFor(stub.endpoint));
  const { second } = await replaceWithReread(store, "a", '"lock"', "two");
  expect(second).toMatchObject({
    kind: "refused",
    error: { code: "store-unsafe", message: expect.stringContaining("with quotes and without") },
  });
});

it("says that a bucket without versions would do, where versioning was turned on and the right ETag is refused (Ceph)", async () => {
  await using server = await serve({ etagForm: "unquoted-only" });
  const store = storeOver(clientFor(server.endpoint));
  const etag = await created(store, "a");
  server.setQuirks({ etagForm: "unquoted-only", versioning: "Enabled", versionsLike: "ceph" });
  const { second } = await replaceWithReread(store, "a", etag, "two");
  expect(second).toMatchObject({
    kind: "refused",
    error: {
      code: "store-unsafe",
      message: expect.stringContaining("The bucket has versioning (enabled): some stores"),
    },
  });
});

it("probes again when a probe did not come to an end", async () => {
  await using server = await serve({ etagForm: "unquoted-only" });
  const store = storeOver(clientFor(server.endpoint));
  const etag = await created(store, "a");
  server.faults.add({ fault: "lose-response", operation: "PutObject", key: PROBE, skip: 1, times: 1 });
  const { second } = await replaceWithReread(store, "a", etag, "two");
  expect(second).toMatchObject({ kind: "conflict" });
  expect((await replaceWithReread(store, "a", etag, "two")).second).toMatchObject({ kind: "ok" });
  expect(server.objects("locks").map(({ key }) => key)).toEqual(["a"]);
});

it("takes its time on a store that allows one write a second on a key", async () => {
  await using server = await serve({ etagForm: "unquoted-only" });
  server.faults.add({ fault: "status", status: 429, operation: "PutObject", key: PROBE, skip: 1, times: 1 });
  // Only the pause between two writes of a probe: a request must not be short of time because the machine is busy.
  const effects = hurriedEffects((delayMs) => delayMs > 1_000 && delayMs < OPTIONS.timeoutMs);
  const store = storeOver(clientFor(server.endpoint), { effects });
  const { second } = await replaceWithReread(store, "a", await created(store, "a"), "two");
  expect(second).toMatchObject({ kind: "ok" });
});
