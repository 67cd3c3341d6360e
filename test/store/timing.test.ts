import { performance } from "node:perf_hooks";
import { expect, it } from "vitest";
import { OF_S3 } from "./handler.js";
import { clientFor, IF_ABSENT, OPTIONS, startStub, storeOver } from "./stub.js";

/** When a request left and its answer came: what a lease and the bounds of the store's clock are counted from. */

const SLOW_MS = 300;

it("`sentAtMs` is before the store has seen the request, and `receivedAtMs` after its answer, however slow the store is", async () => {
  let arrivedAtMs = 0;
  const stub = await startStub((_, response) => {
    arrivedAtMs = performance.now();
    setTimeout(() => {
      response.setHeaders(new Headers({ ...OF_S3, etag: '"x"' }));
      response.end();
    }, SLOW_MS);
  });
  const store = storeOver(clientFor(stub.endpoint));
  for (let tries = 0; tries < 3; tries += 1) {
    const askedAtMs = performance.now();
    const outcome = await store.write("a", "{}", IF_ABSENT, OPTIONS);
    const answeredAtMs = performance.now();
    if (outcome.kind !== "ok") throw new Error(outcome.kind);
    const { sentAtMs, receivedAtMs } = outcome.timing;
    expect(sentAtMs).toBeGreaterThanOrEqual(askedAtMs);
    expect(sentAtMs).toBeLessThanOrEqual(arrivedAtMs);
    expect(receivedAtMs).toBeGreaterThanOrEqual(arrivedAtMs + SLOW_MS - 5);
    expect(receivedAtMs).toBeLessThanOrEqual(answeredAtMs);
  }
});

it.each([
  ["1", true],
  ["0", undefined],
  [undefined, undefined],
])("an answer with the Age %s tells the time: not if it comes out of a cache", async (age, aged) => {
  const stub = await startStub((_, response) => {
    response.setHeaders(new Headers({ ...OF_S3, etag: '"x"' }));
    if (age !== undefined) response.setHeader("age", age);
    response.end();
  });
  const outcome = await storeOver(clientFor(stub.endpoint)).write("a", "{}", IF_ABSENT, OPTIONS);
  if (outcome.kind !== "ok") throw new Error(outcome.kind);
  expect(outcome.timing.aged).toBe(aged);
  expect(outcome.timing.dateMs === undefined).toBe(aged === true);
});
