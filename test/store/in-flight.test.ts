import { expect, it, vi } from "vitest";
import { realEffects } from "../../src/runtime/base/effects.js";
import type { StoreEffects } from "../../src/store/object-store.js";
import { startS3Server } from "../../src/testing/index.js";
import { OF_S3 } from "./handler.js";
import { clientFor, IF_ABSENT, startStub, storeOver } from "./stub.js";

/** How many ordinary requests are in flight at most, over the SDK's pool of 50 sockets. */
const IN_FLIGHT = 40;

/** Makes time that passes only when the test says so, so that nothing depends on how fast the machine is. */
function steppedTime() {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  const effects: StoreEffects = {
    monotonicMs: () => nowMs,
    newId: () => realEffects.newId(),
    setTimer(delayMs, callback) {
      const timer = { atMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const pass = (ms: number) => {
    nowMs += ms;
    for (const timer of [...timers].filter(({ atMs }) => atMs <= nowMs)) {
      timers.delete(timer);
      timer.callback();
    }
  };
  return { effects, pass, nowMs: () => nowMs };
}

it("a burst of 500 requests times out none, though all together take longer than the time-out", async () => {
  const TIMEOUT_MS = 300;
  const { effects, pass, nowMs } = steppedTime();
  const arrived: (() => void)[] = [];
  const stub = await startStub((_, response) => {
    arrived.push(() => void response.writeHead(200, { ...OF_S3, etag: '"one"' }).end());
  });
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  const client = clientFor(stub.endpoint);
  const stores = [storeOver(client, { effects }), storeOver(client, { effects })];
  let answered = 0;
  const writes = Array.from({ length: 500 }, async (_, n) => {
    const outcome = await stores[n % 2]?.write(`k${n}`, "{}", IF_ABSENT, { timeoutMs: TIMEOUT_MS });
    answered += 1;
    return outcome;
  });
  while (answered < writes.length) {
    // All that are in flight have arrived before time passes: what waits for its turn has no time-out running.
    await vi.waitFor(() => expect(arrived.length).toBe(Math.min(IN_FLIGHT, writes.length - answered)), 20_000);
    pass(TIMEOUT_MS - 50);
    const due = answered + arrived.length;
    for (const answer of arrived.splice(0)) answer();
    await vi.waitFor(() => expect(answered).toBe(due), 20_000);
  }
  expect(nowMs()).toBeGreaterThan(10 * TIMEOUT_MS);
  expect((await Promise.all(writes)).filter((outcome) => outcome?.kind !== "ok")).toEqual([]);
  process.off("warning", onWarning);
  expect(warnings.filter(({ name }) => name === "MaxListenersExceededWarning")).toEqual([]);
});

it("stays below a smaller pool of sockets as soon as the handler shows its size", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const store = storeOver(clientFor(server.endpoint, { requestHandler: { httpAgent: { maxSockets: 5 } } }));
  await store.read("first", { timeoutMs: 1_000 });
  let now = 0;
  let most = 0;
  server.setLatency(() => {
    now += 1;
    most = Math.max(most, now);
    return 10;
  });
  server.onRequest(() => (now -= 1));
  await Promise.all(Array.from({ length: 30 }, (_, n) => store.read(`k${n}`, { timeoutMs: 1_000 })));
  expect(most).toBe(4);
});

it("an urgent request does not wait for those that were queued before it", async () => {
  await using server = await startS3Server({ buckets: ["locks"], latencyMs: 20 });
  const store = storeOver(clientFor(server.endpoint), { maxInFlight: 5 });
  let done = 0;
  const others = Array.from({ length: 50 }, async (_, n) => {
    await store.read(`k${n}`, { timeoutMs: 2_000 });
    done += 1;
  });
  const urgent: object = { timeoutMs: 2_000, urgent: true };
  await store.read("renewal", urgent as { timeoutMs: number });
  expect(done).toBeLessThan(15);
  await Promise.all(others);
});
