import { expect, it } from "vitest";
import type { S3Server, StoreQuirks } from "../../src/testing/index.js";
import { BUCKET, MARKER, processOn, serverWith } from "./processes.js";

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const isMarked = (server: S3Server) => server.getObject(BUCKET, MARKER)?.text.includes('"atMs"') === true;

it("too long an object under the marker's key does not keep locks from being taken, and becomes a marker", async () => {
  const server = await serverWith();
  server.putObject(BUCKET, MARKER, "x".repeat(2_000_000));
  const first = processOn(server);
  expect((await first.mutex.acquire("a", { timeoutMs: 2000 })).held).toBe(true);
  expect(first.events).toMatchObject([{ verdict: "passed", by: "requests" }]);
  await until(() => isMarked(server));
  const second = processOn(server);
  expect((await second.mutex.acquire("b", { timeoutMs: 2000 })).held).toBe(true);
  expect(second.events).toMatchObject([{ verdict: "passed", by: "marker" }]);
});

it("so does one that lies in an archive", async () => {
  const server = await serverWith();
  server.putObject(BUCKET, MARKER, "{}");
  const archived = { fault: "status", status: 403, code: "InvalidObjectState", key: MARKER } as const;
  const fault = server.faults.add({ ...archived, operation: "GetObject" });
  server.onRequest(({ operation, key, status }) => {
    if (operation === "PutObject" && key === MARKER && status === 200) fault.remove();
  });
  const { mutex, events } = processOn(server);
  expect((await mutex.acquire("a", { timeoutMs: 2000 })).held).toBe(true);
  expect(events).toMatchObject([{ verdict: "passed", by: "requests" }]);
  await until(() => isMarked(server));
});

it.each<[string, StoreQuirks]>([
  ["If-None-Match", { ignoreIfNoneMatch: true }],
  ["If-Match", { ignoreIfMatch: true }],
])("a store that ignores %s is refused all the same", async (_, quirks) => {
  const server = await serverWith(quirks);
  server.putObject(BUCKET, MARKER, "x".repeat(2_000_000));
  const { mutex } = processOn(server);
  await expect(mutex.acquire("a", { timeoutMs: 2000 })).rejects.toMatchObject({ code: "store-unsafe" });
});

it("where reads and creations contradict each other, the key is named, and what to do", async () => {
  const server = await serverWith();
  server.faults.add({ fault: "status", status: 404, code: "NoSuchKey", key: /checked/, operation: "GetObject" });
  server.faults.add({
    fault: "status",
    status: 412,
    code: "PreconditionFailed",
    key: /checked/,
    operation: "PutObject",
  });
  const { mutex } = processOn(server);
  const text = await mutex.acquire("a", { timeoutMs: 1500 }).then(String, ({ message }: Error) => message);
  // It has tried another key as well.
  expect(text).toMatch(/reads say that locks\/\.s3-mutex\/checked-\d+\.json is absent/);
  expect(text).toContain("remove what is there");
  expect(text).not.toContain("did not answer");
});

it("a read that is not answered is not said to show that the key is absent", async () => {
  const server = await serverWith();
  const refused = { fault: "status", status: 412, code: "PreconditionFailed" } as const;
  const broken = { fault: "status", status: 500, code: "InternalError" } as const;
  server.faults.add({
    fault: "status",
    status: 404,
    code: "NoSuchKey",
    key: /checked/,
    operation: "GetObject",
    times: 1,
  });
  server.faults.add({ ...broken, key: /checked/, operation: "GetObject" });
  server.faults.add({ ...refused, key: /checked/, operation: "PutObject" });
  const { mutex } = processOn(server);
  const text = await mutex.acquire("a", { timeoutMs: 1500 }).then(String, ({ message }: Error) => message);
  expect(text).toContain("500 InternalError");
  expect(text).not.toContain("is absent");
});
