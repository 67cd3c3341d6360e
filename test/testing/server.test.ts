import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { S3MutexError } from "../../src/errors.js";
import { type RequestRecord, type S3ServerOptions, startS3Server } from "../../src/testing/index.js";
import { BUCKET, outcomeOf, startHarness } from "./harness.js";

test("requests are counted by operation and status until reset", async () => {
  const { server, put, get } = await startHarness();
  await put("k", "v");
  await get("k");
  await outcomeOf(get("absent"));
  server.faults.add({ fault: "drop-before", times: 1 });
  await outcomeOf(get("k"));
  const counts = server.requests;
  expect(counts).toMatchObject({ total: 4, byStatus: { 200: 2, 404: 1 }, unanswered: 1 });
  expect(counts.byOperation).toMatchObject({ PutObject: 1, GetObject: 3, DeleteObject: 0 });
  server.resetRequests();
  expect(server.requests).toMatchObject({ total: 0, byStatus: {}, unanswered: 0 });
  expect(counts.total).toBe(4);
});

test("direct access is not counted and meets no faults", async () => {
  const { server } = await startHarness();
  server.faults.add({ fault: "drop-before" });
  server.putObject(BUCKET, "k", new Uint8Array([104, 105]));
  expect(server.getObject(BUCKET, "k")?.text).toBe("hi");
  server.deleteObject(BUCKET, "k");
  expect(server.getObject(BUCKET, "k")).toBeUndefined();
  expect(server.requests.total).toBe(0);
});

test("recent requests and listeners tell what happened", async () => {
  const { server, put } = await startHarness({ recentRequestsMax: 2 });
  const seen: RequestRecord[] = [];
  const stop = server.onRequest((record) => seen.push(record));
  for (const key of ["a", "b", "c"]) await put(key, "v");
  expect(server.recentRequests.map((record) => record.key)).toEqual(["b", "c"]);
  expect(seen[0]).toMatchObject({ operation: "PutObject", bucket: BUCKET, key: "a", status: 200, faults: [] });
  expect(Math.abs((seen[0]?.at ?? 0) - Date.now())).toBeLessThan(5000);
  stop();
  await put("d", "v");
  expect(seen).toHaveLength(3);
});

test("latency is split around the moment at which a request is applied, and can be changed", async () => {
  const { server, put } = await startHarness({ latencyMs: ({ operation }) => (operation === "PutObject" ? 80 : 0) });
  const request = put("k", "v");
  await expect.poll(() => server.getObject(BUCKET, "k")?.text, { interval: 5 }).toBe("v");
  expect(server.recentRequests).toEqual([]);
  await request;
  expect(server.recentRequests[0]?.durationMs).toBeGreaterThanOrEqual(79);
  server.setLatency(0);
  await put("k", "v");
  expect(server.recentRequests[1]?.durationMs).toBeLessThan(70);
});

test("500 clients at once are served, without a warning", async () => {
  const { server } = await startHarness();
  const warnings: Error[] = [];
  const warn = (warning: Error) => warnings.push(warning);
  process.on("warning", warn);
  onTestFinished(() => void process.off("warning", warn));
  server.putObject(BUCKET, "k", "v");
  server.setLatency(20);
  const agent = new Agent({ maxSockets: 500, keepAlive: true });
  onTestFinished(() => agent.destroy());
  const one = async () => {
    const [response] = await once(get(`${server.endpoint}/${BUCKET}/k`, { agent }), "response");
    response.resume();
    await once(response, "end");
    return response.statusCode;
  };
  for (let round = 0; round < 2; round++) {
    const statuses = await Promise.all(Array.from({ length: 500 }, one));
    expect(new Set(statuses)).toEqual(new Set([200]));
  }
  expect(warnings).toEqual([]);
});

test("close frees the port, cuts connections, cancels what was put off, and may be repeated", async () => {
  const server = await startS3Server({ buckets: [BUCKET] });
  server.faults.add({ fault: "never-answer", operation: "GetObject" });
  server.faults.add({ fault: "delay-apply", operation: "PutObject", delayMs: 60_000, answer: "none" });
  const url = `${server.endpoint}/${BUCKET}/k`;
  const hanging = [fetch(url), fetch(url, { method: "PUT", body: "v" })].map(outcomeOf);
  await expect.poll(() => server.requests.total, { interval: 5 }).toBe(2);
  const settled = server.settled();
  await server.close();
  await server.close();
  await settled;
  await server.settled();
  expect(await Promise.all(hanging)).toEqual(["TypeError", "TypeError"]);
  await using again = await startS3Server({ port: server.port });
  expect(again.port).toBe(server.port);
});

test("nothing keeps a process alive after close", { timeout: 60_000 }, async () => {
  const source = `
    const { startS3Server } = await import(${JSON.stringify(new URL("../../src/testing/index.ts", import.meta.url).href)});
    await using server = await startS3Server({ buckets: ["locks"] });
    server.faults.add({ fault: "delay-apply", delayMs: 3600000 });
    await fetch(server.endpoint + "/locks/k", { method: "PUT", body: "v" }).catch(() => undefined);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", closing(source)], {
    stdio: "inherit",
  });
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
});

/** Spells out the scope's end: Node 20 does not know `await using`. */
function closing(source: string): string {
  return `${source.replace("await using", "const")}\n await server[Symbol.asyncDispose]();`;
}

test("a port that is taken is named", async () => {
  const { server } = await startHarness();
  const second = startS3Server({ port: server.port });
  await expect(second).rejects.toThrow(new RegExp(`port ${server.port}: .*EADDRINUSE.*leave`));
  await expect(second).rejects.toBeInstanceOf(S3MutexError);
});

test.each<S3ServerOptions>([{ pageSize: 0 }, { latencyMs: -1 }, { recentRequestsMax: -1 }, { buckets: ["X"] }])(
  "an option that cannot be right is refused: %o",
  async (options) => {
    await expect(startS3Server(options)).rejects.toBeInstanceOf(S3MutexError);
  },
);
