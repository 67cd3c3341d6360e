import { readFileSync } from "node:fs";
import { context } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterEach, expect } from "vitest";
import { startTelemetry, type TelemetryOptions } from "../../src/otel/index.js";
import { BUCKET, codeOf, it } from "../api/fixture.js";
import { unheardOf } from "./unheard.js";

/** Telemetry is about the whole process, so these tests run one after the other. */

const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: unknown;
}

function observe(options: TelemetryOptions = {}) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spanExporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] });
  const telemetry = startTelemetry({ meterProvider, tracerProvider, ...options });
  endings.push(
    () => telemetry.stop(),
    () => meterProvider.shutdown(),
    () => tracerProvider.shutdown(),
  );
  return {
    telemetry,
    tracer: tracerProvider.getTracer("test"),
    spans: () => spanExporter.getFinishedSpans(),
    async points(name: string): Promise<readonly Point[]> {
      exporter.reset();
      await meterProvider.forceFlush();
      const metrics = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
      return metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    },
  };
}

const bucket = { "aws.s3.bucket": BUCKET };

it("counts acquisitions by outcome, with waits and holds in seconds", async ({ world }) => {
  const { points } = observe();
  const mutex = world.mutex();
  const lock = await mutex.acquire("lock");
  await codeOf(world.mutex().acquire("lock", { timeoutMs: 0 }));
  expect(await points("s3_mutex.held")).toMatchObject([{ attributes: bucket, value: 1 }]);
  await lock.renew();
  await lock.release();
  const acquisitions = await points("s3_mutex.acquisitions");
  expect(acquisitions.map(({ attributes, value }) => [attributes["s3_mutex.outcome"], value])).toEqual([
    ["acquired", 1],
    ["timed-out", 1],
  ]);
  expect(acquisitions[0]?.attributes).toEqual({ ...bucket, "s3_mutex.outcome": "acquired" });
  const [hold] = await points("s3_mutex.hold.duration");
  expect(hold).toMatchObject({ attributes: bucket, value: { count: 1 } });
  expect((hold as { value: { sum: number } }).value.sum).toBeLessThan(10);
  expect(await points("s3_mutex.wait.duration")).toHaveLength(2);
  expect(await points("s3_mutex.renewals")).toMatchObject([{ value: 1 }]);
  expect(await points("s3_mutex.waiting")).toMatchObject([{ value: 0 }]);
  expect(await points("s3_mutex.held")).toMatchObject([{ value: 0 }]);
});

it("counts requests by kind and outcome, conflicts, losses and places in the queue", async ({ world }) => {
  const { points } = observe();
  const mutex = world.mutex();
  const lock = await mutex.acquire("lock");
  const other = world.mutex();
  const waiting = codeOf(other.acquire("lock", { timeoutMs: 300 }));
  await waiting;
  // What this process believes is outdated now: its next write meets a conflict.
  await other.releaseLock("lock", true);
  await lock.renew();
  const requests = await points("s3_mutex.request.duration");
  const kinds = requests.map(({ attributes }) => `${attributes["rpc.method"]} ${attributes["s3_mutex.outcome"]}`);
  expect(kinds).toEqual(expect.arrayContaining(["GetObject absent", "PutObject ok", "PutObject conflict"]));
  expect(await points("s3_mutex.conflicts")).toMatchObject([{ attributes: { ...bucket, "rpc.method": "PutObject" } }]);
  expect(await points("s3_mutex.losses")).toMatchObject([
    { attributes: { ...bucket, "s3_mutex.loss.reason": "force-released" }, value: 1 },
  ]);
  expect(await points("s3_mutex.queue.length")).toMatchObject([{ value: { count: 1, sum: 0 } }]);
  world.server.faults.add({ fault: "status", status: 503, times: 1 });
  await mutex.inspect("lock");
  const afterwards = await points("s3_mutex.request.duration");
  // The wait above may have been over in the middle of a request.
  const failed = afterwards.find(({ attributes }) => attributes["http.response.status_code"] === 503);
  expect(failed?.attributes).toMatchObject({ "error.type": "store-unavailable" });
});

it("names locks in metrics only as it is told to", async ({ world }) => {
  const { points } = observe({ lockName: (name) => (name.includes("/") ? name.split("/")[0] : undefined) });
  const mutex = world.mutex();
  for (const name of ["team/a", "team/b", "plain"]) await (await mutex.acquire(name)).release();
  const held = await points("s3_mutex.hold.duration");
  expect(held.map(({ attributes, value }) => [attributes["s3_mutex.lock.name"], (value as Counted).count])).toEqual([
    ["team", 2],
    [undefined, 1],
  ]);
});

it("a lockName or a provider that throws ends no process, and counts go on", async ({ world }) => {
  let calls = 0;
  const lockName = (name: string) => {
    calls += 1;
    if (calls % 3 === 0) throw new Error("no such team");
    return name;
  };
  const { points } = observe({ lockName });
  const onStart = () => {
    throw new Error("no more spans");
  };
  const ended = async () => {};
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [{ onStart, onEnd: () => {}, shutdown: ended, forceFlush: ended }],
  });
  const spans = startTelemetry({ meterProvider: false, tracerProvider });
  const mutex = world.mutex();
  const unheard = await unheardOf(async () => {
    for (let turn = 0; turn < 3; turn += 1) await (await mutex.acquire("team")).release();
  });
  spans.stop();
  expect(unheard).toEqual([]);
  expect(calls).toBeGreaterThan(6);
  const acquisitions = await points("s3_mutex.acquisitions");
  expect(acquisitions.reduce((sum, { value }) => sum + (value as number), 0)).toBe(3);
  const held = await points("s3_mutex.held");
  expect(held.map(({ value }) => value)).toEqual(held.map(() => 0));
});

it("a lockName that is asynchronous by mistake names nothing, and ends no process", async ({ world }) => {
  const lockName = async () => {
    throw new Error("no such team");
  };
  // @ts-expect-error: what it returns is not a name.
  const { points } = observe({ lockName });
  const unheard = await unheardOf(async () => (await world.mutex().acquire("team")).release());
  expect(unheard).toEqual([]);
  expect((await points("s3_mutex.acquisitions")).map(({ attributes }) => attributes)).toEqual([
    { ...bucket, "s3_mutex.outcome": "acquired" },
  ]);
});

interface Counted {
  readonly count: number;
}

it("has a span for the wait and one for the hold, below what the caller was doing", async ({ world }) => {
  const { AsyncLocalStorageContextManager } = await import("./context-manager.js");
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  endings.push(() => context.disable());
  const { tracer, spans } = observe();
  const mutex = world.mutex();
  await tracer.startActiveSpan("request", async (request) => {
    const lock = await mutex.acquire("lock", { priority: 4 });
    await lock.release();
    request.end();
  });
  const [wait, hold, request] = spans();
  expect([wait?.name, hold?.name, request?.name]).toEqual(["acquire lock", "hold lock", "request"]);
  const parent = request?.spanContext().spanId;
  expect([wait?.parentSpanContext?.spanId, hold?.parentSpanContext?.spanId]).toEqual([parent, parent]);
  expect(wait?.attributes).toMatchObject({
    ...bucket,
    "s3_mutex.lock.name": "lock",
    "s3_mutex.priority": 4,
    "s3_mutex.outcome": "acquired",
  });
  expect(hold?.attributes).toMatchObject({
    "s3_mutex.outcome": "released",
    "s3_mutex.fencing_token": expect.any(Number),
  });
  expect(hold?.links[0]?.context.spanId).toBe(wait?.spanContext().spanId);
  expect(wait?.status.code).toBe(0);
});

it("marks losses and failures as errors, and patience that ran out as none", async ({ world }) => {
  const { spans } = observe();
  const lock = await world.mutex().acquire("lock");
  await codeOf(world.mutex().acquire("lock", { timeoutMs: 0 }));
  await world.mutex().releaseLock("lock", true);
  await lock.renew();
  world.server.faults.add({ fault: "status", status: 403 });
  await codeOf(world.mutex().acquire("lock"));
  const told = spans().map(({ name, status, attributes }) => [name, status.code, attributes["error.type"]]);
  expect(told).toEqual([
    ["acquire lock", 0, undefined],
    ["acquire lock", 0, undefined],
    ["hold lock", 2, "lost"],
    ["acquire lock", 2, "access-denied"],
  ]);
});

it("goes silent when it is stopped, and ends what is open", async ({ world }) => {
  const { telemetry, spans, points } = observe();
  const mutex = world.mutex();
  const lock = await mutex.acquire("lock");
  telemetry.stop();
  telemetry.stop();
  expect(spans().map(({ name }) => name)).toEqual(["acquire lock", "hold lock"]);
  await lock.release();
  await (await mutex.acquire("lock")).release();
  expect(spans()).toHaveLength(2);
  expect(await points("s3_mutex.hold.duration")).toEqual([]);
});

it("leaves out metrics or spans where they are not wanted", async ({ world }) => {
  const { spans, points } = observe({ meterProvider: false });
  await (await world.mutex().acquire("lock")).release();
  expect(spans()).toHaveLength(2);
  expect(await points("s3_mutex.acquisitions")).toEqual([]);
});

it("P15: counts and spans a hold that goes from one process to the next on both sides", async ({ world }) => {
  const { spans, points } = observe();
  const held = async () => (await points("s3_mutex.held")).map(({ value }) => value);
  const text = await (await world.mutex().acquire("lock")).serialize();
  expect(await held()).toEqual([0]);
  const restored = await world.mutex().restore(text);
  expect(await held()).toEqual([1]);
  await restored.release();
  expect(await held()).toEqual([0]);
  expect(spans().map(({ name }) => name)).toEqual(["acquire lock", "hold lock", "hold lock"]);
  const [, , again] = spans();
  expect(again?.attributes).toMatchObject({
    "s3_mutex.lock.name": "lock",
    "s3_mutex.fencing_token": restored.fencingToken,
    "s3_mutex.outcome": "released",
  });
});

it("P15: what had begun before the first listener came is not counted when it ends", async ({ world }) => {
  const holder = world.mutex();
  const lock = await holder.acquire("lock");
  const early = new AbortController();
  const waiting = codeOf(holder.acquire("lock", { signal: early.signal }));
  const { points } = observe();
  early.abort();
  await waiting;
  await lock.release();
  for (const name of ["s3_mutex.held", "s3_mutex.waiting"]) {
    for (const { value } of await points(name)) expect([name, value]).toEqual([name, 0]);
  }
});

it("D: says which version of the package the scope is", async ({ world }) => {
  const { spans } = observe();
  await (await world.mutex().acquire("lock")).release();
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  expect(spans()[0]?.instrumentationScope).toMatchObject({ name: "s3-mutex", version: manifest.version });
});

it.each([
  [{ lockName: "x" }, /^lockName is "x": pass a function/],
  [{ tracerProvider: {} }, /^tracerProvider is .*: pass a TracerProvider, or false/],
  [{ meterProvider: {} }, /^meterProvider is .*: pass a MeterProvider, or false/],
])("%j is refused", (options, message) => {
  expect(() => startTelemetry(options as never)).toThrow(message);
});
