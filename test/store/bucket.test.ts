import { expect, it } from "vitest";
import { startS3Server } from "../../src/testing/index.js";
import { clientFor, errorAnswer, IF_ABSENT, ifMatch, OPTIONS, startStub, storeOver } from "./stub.js";

const CREATING = { createBucketIfNotExists: true };

it.each(["read", "write", "replace", "list", "remove"])(
  "without leave to create it, a %s names the missing bucket",
  async (what) => {
    await using server = await startS3Server();
    const store = storeOver(clientFor(server.endpoint));
    const requests = {
      read: () => store.read("a", OPTIONS),
      write: () => store.write("a", "{}", IF_ABSENT, OPTIONS),
      replace: () => store.write("a", "{}", ifMatch('"x"'), OPTIONS),
      list: () => store.list("", OPTIONS),
      remove: () => store.remove("a", '"x"', OPTIONS),
    };
    const outcome = await requests[what as keyof typeof requests]();
    expect(outcome).toMatchObject({
      kind: "refused",
      error: { code: "no-such-bucket", message: expect.stringContaining("locks") },
    });
    expect(server.requests.byOperation.CreateBucket).toBe(0);
  },
);

it("creates the bucket once for all who miss it at the same time", async () => {
  await using server = await startS3Server({ latencyMs: 5 });
  const warnings: string[] = [];
  const store = storeOver(clientFor(server.endpoint), { ...CREATING, logger: { warn: (text) => warnings.push(text) } });
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, (_, n) => store.write(`k${n}`, "{}", IF_ABSENT, OPTIONS)),
  );
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["ok"]));
  expect(server.requests.byOperation.CreateBucket).toBe(1);
  expect(warnings).toEqual(["The bucket locks did not exist and was created"]);
});

it("does not ask about the bucket while it is there", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  await storeOver(clientFor(server.endpoint), CREATING).read("a", OPTIONS);
  expect(server.requests.total).toBe(1);
});

it("names the region in which the bucket is to be", async () => {
  const bodies: string[] = [];
  const stub = await startStub((request, response) => {
    if (request.url?.startsWith("/locks/a")) return errorAnswer(404, "NoSuchBucket")(request, response);
    bodies.push(String(request.headers["content-length"]));
    return void response.end();
  });
  const outcome = await storeOver(clientFor(stub.endpoint, { region: "eu-west-1" }), CREATING).read("a", OPTIONS);
  expect(Number(bodies[0])).toBeGreaterThan("<LocationConstraint>eu-west-1</LocationConstraint>".length);
  // Created, and yet the store says that it is not there: it will be in a moment.
  expect(outcome).toMatchObject({ kind: "unknown", sent: false });
});

it.each(["BucketAlreadyOwnedByYou", "BucketAlreadyExists", "OperationAborted"])(
  "goes on when another client was quicker (%s)",
  async (code) => {
    let created = false;
    const stub = await startStub((request, response) => {
      if (!request.url?.startsWith("/locks/a")) {
        created = true;
        return errorAnswer(409, code)(request, response);
      }
      return errorAnswer(404, created ? "NoSuchKey" : "NoSuchBucket")(request, response);
    });
    expect(await storeOver(clientFor(stub.endpoint), CREATING).read("a", OPTIONS)).toMatchObject({ kind: "absent" });
  },
);

it("says that creating is denied, and tries again next time", async () => {
  await using server = await startS3Server({ quirks: { deny: ["CreateBucket"] } });
  const store = storeOver(clientFor(server.endpoint), CREATING);
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({
    kind: "refused",
    error: { code: "access-denied", message: expect.stringContaining("s3:CreateBucket") },
  });
  server.setQuirks({});
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
});

it("a creation without an answer leaves the request unsent", async () => {
  await using server = await startS3Server();
  server.faults.add({ fault: "lose-response", operation: "CreateBucket", times: 1 });
  const store = storeOver(clientFor(server.endpoint), CREATING);
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "unknown", sent: false });
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
});
