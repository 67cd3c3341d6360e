import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Clockwork, settled } from "../../../../test/protocol/clockwork.js";
import { identityOf, type TransmissionLimits, timingOf, transmitOnce, writtenAt } from "./transmission.js";

type Handler = (args: object) => Promise<{ response: unknown; output: unknown }>;
type Middleware = (next: Handler) => Handler;

/** A command whose stack has nothing but what is added here, each inside of the one before, and how it was added. */
function emptyCommand() {
  const added: Middleware[] = [];
  const places: object[] = [];
  const add = (middleware: Middleware, place: object) => {
    added.push(middleware);
    places.push(place);
  };
  const send = (handler: Handler, headers: Record<string, string> = {}) =>
    added.reduceRight((next, middleware) => middleware(next), handler)({ request: { headers } });
  return { command: { middlewareStack: { add, addRelativeTo: add } }, places, send };
}

const answer = (statusCode: number, headers: Record<string, string> = {}, body: unknown = Buffer.from("words")) => {
  return { response: { statusCode, headers, body }, output: "output" };
};

function transmitting(more: Partial<TransmissionLimits> = {}) {
  const clockwork = new Clockwork();
  const limits = { effects: clockwork.effects, timeoutMs: 400, prepareTimeoutMs: 30_000, ...more };
  const stack = emptyCommand();
  const transmission = (work: (signal: AbortSignal) => Promise<unknown>) => transmitOnce(stack.command, limits, work);
  return { clockwork, transmission, ...stack };
}

it("sits outside of the SDK's retries, right inside of them, and next to the HTTP handler", async () => {
  const { transmission, places } = transmitting();
  await transmission(async () => {});
  expect(places).toEqual([
    { step: "build", priority: "low", name: "s3MutexRethrow" },
    { relation: "after", toMiddleware: "retryMiddleware", name: "s3MutexCarry" },
    { step: "deserialize", priority: "low", name: "s3MutexTransmit" },
  ]);
});

describe("of an answer it keeps", () => {
  it("when it left and came, who signed it, its status, its headers in lower case and its words", async () => {
    const { transmission, send, clockwork } = transmitting();
    const headers = { Authorization: "AWS4 Credential=key/20261128/x, Signed", "X-Amz-Security-Token": "session" };
    const handler = async () => {
      clockwork.monotonicMs += 30;
      return answer(200, { ETag: '"1"' });
    };
    expect(await transmission(() => send(handler, headers))).toEqual({
      kind: "answer",
      value: { response: { statusCode: 200, headers: { ETag: '"1"' }, body: Buffer.from("words") }, output: "output" },
      transmission: {
        sentAtMs: 10_000,
        receivedAtMs: 10_030,
        signedBy: identityOf("key", "session"),
        status: 200,
        headers: { etag: '"1"' },
        text: "words",
      },
    });
    expect(clockwork.pendingMs).toEqual([]);
  });

  it("none where it was not signed", async () => {
    const { transmission, send } = transmitting();
    const { transmission: seen } = await transmission(() => send(async () => answer(200)));
    expect(seen.signedBy).toBe(identityOf(""));
    expect(identityOf("", "a")).not.toBe(identityOf("a", ""));
  });

  it("words that were compressed on the way, which the SDK is given as they were", async () => {
    const { transmission, send } = transmitting();
    const compressed = answer(404, { "content-encoding": "gzip" }, gzipSync("words"));
    expect((await transmission(() => send(async () => compressed))).transmission.text).toBe("words");
    expect(compressed.response.body).toEqual(Buffer.from("words"));
  });

  it("no words that are longer than any answer of S3, nor does the SDK get them", async () => {
    const { transmission, send } = transmitting();
    const endless = answer(404, {}, Buffer.alloc(16 * 1024 * 1024 + 1, "x"));
    expect((await transmission(() => send(async () => endless))).transmission.text).toBe("");
    expect(endless.response.body).toEqual(Buffer.alloc(0));
  });

  it.each([
    [200, undefined],
    [299, undefined],
    [300, "words"],
    [404, "words"],
  ])("%i where its operation reads successes: %j", async (status, text) => {
    const { transmission, send } = transmitting({ streams: true });
    expect((await transmission(() => send(async () => answer(status)))).transmission.text).toBe(text);
  });
});

describe("a request is sent once", () => {
  it("however often it is passed in", async () => {
    const { transmission, send } = transmitting();
    let sent = 0;
    const handler = async () => {
      sent += 1;
      throw new Error("broken");
    };
    const error = { message: "broken" };
    const result = await transmission(() => send(handler).catch(() => send(handler)));
    expect(result).toMatchObject({ kind: "failure", error, transmission: { sentAtMs: 10_000 } });
    expect(sent).toBe(1);
  });

  it("also where its answer was fine: no second one was asked for", async () => {
    const { transmission, send } = transmitting();
    const handler = async () => answer(200);
    const error = { message: "A request is sent once; whether to repeat it is decided elsewhere" };
    expect(await transmission(() => send(handler).then(() => send(handler)))).toMatchObject({ kind: "failure", error });
  });

  it("and a second time where a 301 has led elsewhere, which is what counts then", async () => {
    const { transmission, send } = transmitting();
    const answers = [answer(301), answer(200), answer(200)];
    const handler = async () => answers.shift() ?? answer(500);
    const { transmission: seen } = await transmission(() => send(handler).then(() => send(handler)));
    expect(seen.status).toBe(200);
    expect(answers).toHaveLength(1);
  });

  it("without a word of what its sender expects", async () => {
    const { transmission, send } = transmitting();
    const headers = { Expect: "100-continue", expect: "100-continue", "x-expect": "stays" };
    await transmission(() => send(async () => answer(200), headers));
    expect(headers).toEqual({ "x-expect": "stays" });
  });

  it.each([
    [10_000, 0],
    [10_001, 1],
  ])("and not after the time at which no caller waits any more (%i)", async (sendByMs, times) => {
    const { transmission, send } = transmitting({ sendByMs });
    let sent = 0;
    const handler = async () => {
      sent += 1;
      return answer(200);
    };
    const result = await transmission(() => send(handler));
    expect(sent).toBe(times);
    if (times === 1) return;
    const error = { name: "TransmissionRefused", message: "The time for this request was up before it was sent" };
    expect(result).toMatchObject({ kind: "failure", error, transmission: {} });
    expect(result.transmission.sentAtMs).toBeUndefined();
  });
});

describe("when its time is up", () => {
  it("before it is sent, it is not sent any more", async () => {
    const { transmission, send, clockwork } = transmitting();
    let goOn = () => {};
    const ready = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let sent = 0;
    const handler = async () => {
      sent += 1;
      return answer(200);
    };
    const signals: AbortSignal[] = [];
    const result = transmission(async (signal) => {
      signals.push(signal);
      await ready;
      return await send(handler);
    });
    expect(clockwork.keepsProcess).toBe(true);
    await clockwork.pass(29_999);
    expect(signals[0]?.aborted).toBe(false);
    await clockwork.pass(1);
    const message = "The request could not be prepared within 30000 ms";
    expect(await result).toMatchObject({ kind: "failure", error: { name: "OutOfTime", message } });
    expect(signals[0]?.aborted).toBe(true);
    goOn();
    await settled();
    expect(sent).toBe(0);
  });

  it("nor by what hears of that first", async () => {
    const { transmission, send, clockwork } = transmitting();
    let sent = 0;
    const handler = async () => {
      sent += 1;
      return answer(200);
    };
    const result = transmission((signal) => {
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => send(handler).then(resolve, reject));
      });
    });
    await clockwork.pass(30_000);
    expect(await result).toMatchObject({ kind: "failure", error: { name: "OutOfTime" } });
    await settled();
    expect(sent).toBe(0);
  });

  it("afterwards, the time counts from when it left, and an answer that comes all the same is thrown away", async () => {
    const { transmission, send, clockwork } = transmitting();
    let arrive = (_: ReturnType<typeof answer>) => {};
    const arrived = new Promise<ReturnType<typeof answer>>((resolve) => {
      arrive = resolve;
    });
    const result = transmission(() => send(() => arrived));
    await settled();
    expect(clockwork.pendingMs).toEqual([400]);
    await clockwork.pass(400);
    const message = "No complete answer within 400 ms";
    expect(await result).toMatchObject({ error: { name: "OutOfTime", message }, transmission: { sentAtMs: 10_000 } });
    let thrownAway = 0;
    const destroy = () => (thrownAway += 1);
    arrive(answer(200, {}, { destroy }));
    await settled();
    expect(thrownAway).toBeGreaterThan(0);
  });
});

describe("an answer that comes too late", () => {
  it("is told of, with after how long in whole milliseconds", async () => {
    const { transmission, send, clockwork } = transmitting({ timeoutMs: 2000 / 3 });
    const result = transmission(() => send(() => new Promise(() => {})));
    await settled();
    await clockwork.pass(667);
    expect(await result).toMatchObject({ error: { message: "No complete answer within 667 ms" } });
  });

  it("has its body thrown away, or its socket would not return to the pool", async () => {
    const { transmission, send, clockwork } = transmitting({ streams: true });
    let thrownAway = 0;
    const body = { destroy: () => (thrownAway += 1) };
    const result = transmission(async () => {
      await send(async () => answer(200, {}, body));
      await new Promise<never>(() => {});
    });
    await settled();
    expect(thrownAway).toBe(0);
    await clockwork.pass(400);
    expect(await result).toMatchObject({ kind: "failure", transmission: { status: 200 } });
    expect(thrownAway).toBe(1);
  });
});

it("knows when what it shows was written, where the answer says so as HTTP does", () => {
  const lastModifiedMs = Date.UTC(2026, 10, 28, 12);
  expect(writtenAt({ headers: { "last-modified": "Sat, 28 Nov 2026 12:00:00 GMT" } })).toEqual({ lastModifiedMs });
  for (const headers of [{}, { "last-modified": "0" }, { date: "Sat, 28 Nov 2026 12:00:00 GMT" }])
    expect(writtenAt({ headers })).toEqual({});
  expect(writtenAt({})).toEqual({});
});

describe("the timing of an answer", () => {
  const sentAtMs = 1;
  const receivedAtMs = 2;
  const date = "Sat, 28 Nov 2026 12:00:00 GMT";
  const timing = (headers?: Record<string, string>) =>
    timingOf({ sentAtMs, receivedAtMs, ...(headers && { headers }) });

  it("is undefined where none came", () => {
    expect(timingOf({})).toBeUndefined();
    expect(timingOf({ sentAtMs })).toBeUndefined();
    expect(timingOf({ receivedAtMs })).toBeUndefined();
  });

  it("has the store's time where the answer tells it", () => {
    const dateMs = Date.UTC(2026, 10, 28, 12);
    expect(timing({ date })).toEqual({ sentAtMs, receivedAtMs, dateMs });
    expect(timing({ date, age: "0" })).toEqual({ sentAtMs, receivedAtMs, dateMs });
    expect(timing({ date, age: "unknown" })).toEqual({ sentAtMs, receivedAtMs, dateMs });
  });

  it.each(["0", "Sat, 28 Nov 2026 12:00:00", "2026-11-28T12:00:00Z", "no GMT", "GMT", ""])("has none of %j", (text) => {
    const got = timing({ date: text });
    expect(got).toEqual({ sentAtMs, receivedAtMs });
    expect(got).not.toHaveProperty("dateMs");
    expect(timing()).toEqual({ sentAtMs, receivedAtMs });
  });

  it("says of an answer out of a cache that it is that", () => {
    expect(timing({ date, age: "1" })).toEqual({ sentAtMs, receivedAtMs, aged: true });
    expect(timing({ age: "1" })).toEqual({ sentAtMs, receivedAtMs, aged: true });
  });
});
