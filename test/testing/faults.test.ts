import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { expect, test, vi } from "vitest";
import { S3MutexError } from "../../src/errors.js";
import type { ActiveFault, FaultRule } from "../../src/testing/index.js";
import { BUCKET, outcomeOf, startHarness } from "./harness.js";

/** Makes a client give up soon after its request has come to the fault; it says "gave up" then. */
async function giveUpAfter(delayMs: number, fault: ActiveFault, url: string, init: RequestInit = {}): Promise<string> {
  const stop = new AbortController();
  const answer = fetch(url, { ...init, signal: stop.signal }).then(
    (response) => `answered ${response.status}`,
    (error) => (stop.signal.aborted ? "gave up" : String(error)),
  );
  await vi.waitUntil(() => fault.hits > 0, { timeout: 30_000, interval: 5 });
  setTimeout(() => stop.abort(), delayMs);
  return answer;
}

test("drop-before: reset, and nothing was done", async () => {
  const { server, put } = await startHarness();
  server.faults.add({ fault: "drop-before", times: 1 });
  expect(await outcomeOf(put("k", "v"))).toBe("ECONNRESET");
  expect(server.getObject(BUCKET, "k")).toBeUndefined();
  expect(await outcomeOf(put("k", "v"))).toBe("ok");
});

test("lose-response: reset, and it was done", async () => {
  const { server, put } = await startHarness();
  server.faults.add({ fault: "lose-response", operation: "PutObject" });
  expect(await outcomeOf(put("k", "v", { IfNoneMatch: "*" }))).toBe("ECONNRESET");
  expect(server.getObject(BUCKET, "k")?.text).toBe("v");
});

test("delay-apply: lands after a later write, and its condition is looked at only then", async () => {
  const { server, put } = await startHarness();
  const etag = await put("k", "1");
  server.faults.add({ fault: "delay-apply", delayMs: 1000, times: 2 });
  expect(await outcomeOf(put("k", "late", { IfMatch: etag }))).toBe("ECONNRESET");
  expect(await outcomeOf(put("new", "late", { IfNoneMatch: "*" }))).toBe("ECONNRESET");
  await put("k", "2", { IfMatch: etag });
  expect(server.getObject(BUCKET, "new")).toBeUndefined();
  await server.settled();
  expect(server.getObject(BUCKET, "k")?.text).toBe("2");
  expect(server.getObject(BUCKET, "new")?.text).toBe("late");
});

test('delay-apply with answer: "none" keeps the client waiting', async () => {
  const { server } = await startHarness();
  const fault = server.faults.add({ fault: "delay-apply", delayMs: 10, answer: "none" });
  const url = `${server.endpoint}/${BUCKET}/k`;
  expect(await giveUpAfter(90, fault, url, { method: "PUT", body: "late" })).toBe("gave up");
  await server.settled();
  expect(server.getObject(BUCKET, "k")?.text).toBe("late");
});

test("duplicate: a create that worked answers 412", async () => {
  const { server, put } = await startHarness();
  server.faults.add({ fault: "duplicate", operation: "PutObject" });
  expect(await outcomeOf(put("k", "v", { IfNoneMatch: "*" }))).toBe("412 PreconditionFailed");
  expect(server.getObject(BUCKET, "k")?.text).toBe("v");
});

test("never-answer: silence, with or without an effect", async () => {
  const { server } = await startHarness();
  const without = server.faults.add({ fault: "never-answer", key: "without" });
  const applied = server.faults.add({ fault: "never-answer", key: "with", applied: true });
  const put = (key: string, fault: ActiveFault) =>
    giveUpAfter(90, fault, `${server.endpoint}/${BUCKET}/${key}`, { method: "PUT", body: "v" });
  expect(await Promise.all([put("without", without), put("with", applied)])).toEqual(["gave up", "gave up"]);
  expect(server.objects(BUCKET).map((object) => object.key)).toEqual(["with"]);
  expect(server.requests.unanswered).toBe(2);
});

test.each([
  [{ status: 500 }, "500 InternalError"],
  [{ status: 503 }, "503 SlowDown"],
  [{ status: 429 }, "429 TooManyRequests"],
  [{ status: 409 }, "409 ConditionalRequestConflict"],
  [{ status: 403 }, "403 AccessDenied"],
  [{ status: 400, code: "RequestTimeTooSkewed" }, "400 RequestTimeTooSkewed"],
])("status %o answers %s", async (fault, outcome) => {
  const { server, put } = await startHarness();
  server.faults.add({ fault: "status", ...fault });
  expect(await outcomeOf(put("k", "v"))).toBe(outcome);
  expect(server.getObject(BUCKET, "k")).toBeUndefined();
});

test("status with applied: true answers an error after doing what was asked", async () => {
  const { server, put } = await startHarness();
  server.faults.add({ fault: "status", status: 500, applied: true });
  expect(await outcomeOf(put("k", "v"))).toBe("500 InternalError");
  expect(server.getObject(BUCKET, "k")?.text).toBe("v");
});

test("latency: fixed, computed, before and after the request is applied", async () => {
  const { server, put } = await startHarness();
  const slow = server.faults.add({ fault: "latency", latencyMs: () => 10, beforeMs: 10, afterMs: 60 });
  const request = put("k", "v");
  await expect.poll(() => server.getObject(BUCKET, "k")?.text, { interval: 5 }).toBe("v");
  expect(server.requests.byStatus).toEqual({});
  await request;
  expect(server.recentRequests[0]?.durationMs).toBeGreaterThanOrEqual(78);
  slow.remove();
  await put("k", "v");
  expect(server.recentRequests[1]?.durationMs).toBeLessThan(70);
});

test("omit-date and shift-date are about the Date header alone", async () => {
  const { server, put } = await startHarness();
  await put("k", "v");
  const url = `${server.endpoint}/${BUCKET}/k`;
  const dateMs = async () => Date.parse((await fetch(url)).headers.get("date") ?? "");
  server.faults.add({ fault: "omit-date", times: 1 });
  expect(await dateMs()).toBeNaN();
  server.faults.add({ fault: "shift-date", shiftMs: -3_600_000, times: 1 });
  expect(Math.abs((await dateMs()) - (Date.now() - 3_600_000))).toBeLessThan(5000);
  expect(Math.abs((await dateMs()) - Date.now())).toBeLessThan(5000);
});

test("truncate-body: cut off, or short without a sign", async () => {
  const { server, put, get } = await startHarness();
  await put("k", "0123456789");
  server.faults.add({ fault: "truncate-body", times: 1 });
  expect(await outcomeOf(get("k"))).toBe("ECONNRESET");
  server.faults.add({ fault: "truncate-body", bytes: 3, unnoticed: true, times: 1 });
  expect(await get("k")).toBe("012");
  expect(await get("k")).toBe("0123456789");
});

test("page: the answer of something on the way, without the marks of S3", async () => {
  const { server, put } = await startHarness();
  server.faults.add({ fault: "page", status: 404, body: "404 page not found", contentType: "text/plain", times: 1 });
  const url = `${server.endpoint}/${BUCKET}/k`;
  const answer = await fetch(url);
  expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
    404,
    "text/plain",
    "404 page not found",
  ]);
  expect(answer.headers.has("x-amz-request-id")).toBe(false);
  server.faults.add({ fault: "page", status: 200, applied: true, times: 1 });
  await put("k", "v");
  expect(server.getObject(BUCKET, "k")?.text).toBe("v");
});

test("damage-body: another body, whole and of the right length", async () => {
  const { server, put, get } = await startHarness();
  await put("k", "0123456789");
  const bodies: unknown[] = [];
  for (const damage of ["halve", "empty", (body: Uint8Array) => body.subarray(8)] as const) {
    server.faults.add({ fault: "damage-body", damage, times: 1 });
    bodies.push(await get("k"));
  }
  expect([...bodies, await get("k")]).toEqual(["01234", "", "89", "0123456789"]);
  server.faults.add({ fault: "damage-body", damage: "gzip", times: 1 });
  const answer = await fetch(`${server.endpoint}/${BUCKET}/k`);
  expect(answer.headers.get("content-encoding")).toBe("gzip");
  expect(await answer.text()).toBe("0123456789");
});

test("change-headers: other values, and none", async () => {
  const { server, put } = await startHarness();
  await put("k", "v");
  const headers = { etag: (etag?: string) => `W/${etag}`, date: () => undefined, "x-cache": "HIT" };
  server.faults.add({ fault: "change-headers", operation: "GetObject", headers });
  const answer = await fetch(`${server.endpoint}/${BUCKET}/k`);
  expect(answer.headers.get("etag")).toBe(`W/${server.getObject(BUCKET, "k")?.etag}`);
  expect([answer.headers.get("date"), answer.headers.get("x-cache")]).toEqual([null, "HIT"]);
});

test("stale-read: the version before, or none", async () => {
  const { server, put, get } = await startHarness();
  await put("k", "1");
  server.faults.add({ fault: "stale-read", times: 2 });
  expect(await outcomeOf(get("k"))).toBe("404 NoSuchKey");
  await put("k", "2");
  expect(await get("k")).toBe("1");
  expect(await get("k")).toBe("2");
});

test("a rule is about the operation, bucket and key that it names", async () => {
  const { server, client, put, get } = await startHarness({ buckets: [BUCKET, "other"] });
  const refuse = (match: Partial<FaultRule>) => {
    server.faults.clear();
    server.faults.add({ ...match, fault: "status", status: 403 } as FaultRule);
  };
  refuse({ operation: ["GetObject", "HeadObject"] });
  expect(await outcomeOf(put("k1", "v"))).toBe("ok");
  expect(await outcomeOf(get("k1"))).toBe("403 AccessDenied");
  refuse({ bucket: "other" });
  expect(await outcomeOf(get("k1"))).toBe("ok");
  for (const key of ["k1", /^k\d$/g, (one: string) => one.startsWith("k")]) {
    refuse({ key });
    expect(await outcomeOf(get("k1"))).toBe("403 AccessDenied");
    expect(await outcomeOf(get("k1"))).toBe("403 AccessDenied");
    expect(await outcomeOf(get("absent"))).toBe("404 NoSuchKey");
    expect(await outcomeOf(client.send(new ListObjectsV2Command({ Bucket: BUCKET })))).toBe("ok");
  }
});

test("skip, times and probability say how often; hits counts", async () => {
  const { server, put } = await startHarness();
  const rule = server.faults.add({ fault: "status", status: 500, skip: 1, times: 2 });
  const outcomes: string[] = [];
  for (let i = 0; i < 5; i++) outcomes.push(await outcomeOf(put("k", "v")));
  expect(outcomes).toEqual(["ok", "500 InternalError", "500 InternalError", "ok", "ok"]);
  expect(rule.hits).toBe(2);

  const numbers = [0.1, 0.9, 0.4, 0.5];
  const random = () => numbers.shift() ?? 1;
  const rare = server.faults.add({ fault: "status", status: 503, probability: 0.5, random });
  for (let i = 0; i < 4; i++) await outcomeOf(put("k", "v"));
  expect(rare.hits).toBe(2);
});

test("of several that decide a request's fate the first strikes; the others add up", async () => {
  const { server, put } = await startHarness();
  const first = server.faults.add({ fault: "status", status: 503, times: 1 });
  const second = server.faults.add({ fault: "status", status: 500, times: 1 });
  const slow = server.faults.add({ fault: "latency", latencyMs: 1 });
  expect(await outcomeOf(put("k", "v"))).toBe("503 SlowDown");
  expect([first.hits, second.hits, slow.hits]).toEqual([1, 0, 1]);
  expect(server.recentRequests[0]?.faults).toEqual(["status", "latency"]);
  expect(await outcomeOf(put("k", "v"))).toBe("500 InternalError");
});

test.each([
  { fault: "drop-before", probability: 1.5 },
  { fault: "status", status: 200 },
  { fault: "page", status: 199 },
  { fault: "damage-body", damage: "bend" },
  { fault: "change-headers" },
  { fault: "change-headers", headers: { etag: undefined } },
  { fault: "change-headers", headers: { etag: 1 } },
  { fault: "page", status: 302, headers: { location: undefined } },
  { fault: "page", status: 302, headers: "location: /" },
  { fault: "status" },
  { fault: "delay-apply", delayMs: -1 },
  { fault: "latency", afterMs: Number.NaN },
  { fault: "no-such-fault" },
])("a rule that cannot be right is refused: %o", async (rule) => {
  const { server } = await startHarness();
  expect(() => server.faults.add(rule as FaultRule)).toThrow(S3MutexError);
});

test("a header without a value is refused by its name, with what takes a header away", async () => {
  const { server } = await startHarness();
  const headers = { etag: () => undefined, "last-modified": undefined };
  expect(() => server.faults.add({ fault: "change-headers", headers } as unknown as FaultRule)).toThrow(
    'headers["last-modified"] is undefined: give a string, or a function of the store\'s own value; () => undefined takes the header away',
  );
});

test("a function of a rule that throws is answered 500 with what it threw", async () => {
  const { server, put } = await startHarness();
  const key = () => {
    throw new Error("oops in the test");
  };
  server.faults.add({ fault: "drop-before", key });
  await expect(put("k", "v")).rejects.toThrow("oops in the test");
});

test("P21: a fault of an operation that there is not is refused, with the nearest one", async () => {
  const { server } = await startHarness();
  const add = (operation: string) => server.faults.add({ fault: "drop-before", operation: operation as "PutObject" });
  expect(() => add("PutObjct")).toThrow('operation is "PutObjct": did you mean "PutObject"?');
  expect(() => add("x")).toThrow(/operation is "x": use one of ListBuckets, /);
});
