import { expect, test } from "vitest";
import { BUCKET, cli, startStore } from "./cli.js";
import { cliHere } from "./here.js";

const TIMEOUT = { timeout: 60_000 };

test("JSON: time, requests and dollars of each part, as the server counts them; nothing is left", TIMEOUT, async () => {
  const { server, environment } = await startStore();
  const args = ["--turns", "4", "--contenders", "2", "--put-price", "1000", "--get-price", "1"];
  const { exitCode, stdout, stderr } = await cliHere(["bench", "--json", ...args], environment);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const { parts, requests, isComplete } = JSON.parse(stdout);
  expect(isComplete).toBe(true);
  expect(parts.map(({ name, turns }: { name: string; turns: number }) => [name, turns])).toEqual([
    ["free", 4],
    ["free-elsewhere", 4],
    ["passing-on", 1],
    ["contention", 4],
  ]);
  expect(parts[1]).toMatchObject({ requests: { puts: 8, gets: 4 }, dollarsPer1000Turns: 2001 });
  for (const part of parts) expect(part.turnMs.p50).toBeGreaterThan(0);
  expect(requests.putMs.p95).toBeGreaterThanOrEqual(requests.putMs.p50);
  const { PutObject, GetObject } = server.requests.byOperation;
  const sum = (kind: "puts" | "gets") =>
    parts.reduce((total: number, part: { requests: Record<string, number> }) => total + (part.requests[kind] ?? 0), 0);
  // And one GET before all of them, whether the store answers.
  expect([sum("puts"), sum("gets") + 1]).toEqual([PutObject, GetObject]);
  expect(server.objects(BUCKET)).toEqual([]);
});

test("a table for people, and what a held lock costs", TIMEOUT, async () => {
  const { environment } = await startStore();
  const { exitCode, stdout } = await cli(["bench", "--turns", "2", "--contenders", "2"], environment);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Requests, p50\/p95\/p99 in ms: PUT .*\n\nWHAT +TURNS .*\n(.+\n){4}\n/);
  expect(stdout).toContain("A lock that is held: 180 PUT an hour with a lease of 60 s, $0.0009.");
});

test("the time limit ends it, with what there is", TIMEOUT, async () => {
  const { server, environment } = await startStore({ latencyMs: 20 });
  const { exitCode, stdout } = await cliHere(["bench", "--json", "--turns", "1000", "--time-limit", "1s"], environment);
  const report = JSON.parse(stdout);
  expect({ exitCode, isComplete: report.isComplete }).toEqual({ exitCode: 0, isComplete: false });
  expect(report.parts[0].turns).toBeLessThan(100);
  expect(server.objects(BUCKET)).toEqual([]);
});

test("C13: a store that is not there is told in seconds", TIMEOUT, async () => {
  const startedAtMs = performance.now();
  const { exitCode, stderr } = await cliHere(["bench", "--endpoint-url", "http://127.0.0.1:1", "s3://b/locks/"], {
    AWS_ACCESS_KEY_ID: "x",
    AWS_SECRET_ACCESS_KEY: "x",
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 69, stderr: expect.stringContaining("ECONNREFUSED") });
  expect(performance.now() - startedAtMs).toBeLessThan(20_000);
});

test("a store that refuses is an error in one sentence; what is not a price is a usage error", async () => {
  const { environment } = await startStore({ quirks: { deny: ["PutObject"] } });
  expect(await cliHere(["bench"], environment)).toMatchObject({ exitCode: 69, stdout: "" });
  expect(await cliHere(["bench", "--put-price", "cheap"], environment)).toMatchObject({ exitCode: 2 });
});

test(
  "C13: what answers and is not S3 is told once, and nothing is said of what was never written",
  TIMEOUT,
  async () => {
    const { environment, server } = await startStore();
    server.faults.add({ fault: "page", status: 404, body: "404 page not found", contentType: "text/plain" });
    const { exitCode, stdout, stderr } = await cliHere(["bench"], environment);
    expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: "" });
    expect(stderr).toMatch(/^s3-mutex: [^\n]*This is not an answer of S3[^\n]*\(store-unavailable\)\.\n$/);
  },
);
