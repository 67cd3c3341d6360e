import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Clockwork, settled } from "../../../../test/protocol/clockwork.js";
import { type AttemptLimits, attemptOnce, identityOf, timingOf, writtenAt } from "./single-attempt.js";

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

function attempting(more: Partial<AttemptLimits> = {}) {
  const clockwork = new Clockwork();
  const limits = { effects: clockwork.effects, timeoutMs: 400, prepareTimeoutMs: 30_000, ...more };
  const stack = emptyCommand();
  const attempt = (work: (signal: AbortSignal) => Promise<unknown>) => attemptOnce(stack.command, limits, work);
  return { clockwork, attempt, ...stack };
}

it("sits outside of the SDK's retries, right inside of them, and next to the HTTP handler", async () => {
  const { attempt, places } = attempting();
  await attempt(async () => {});
  expect(places).toEqual([
    { step: "build", priority: "low", name: "s3MutexRethrow" },
    { relation: "after", toMiddleware: "retryMiddleware", name: "s3MutexCarry" },
    { step: "deserialize", priority: "low", name: "s3MutexTransmit" },
  ]);
});

describe("of an answer it keeps", () => {
  it("when it left and came, who signed it, its status, its headers in lower case and its words", async () => {
    const { attempt, send, clockwork } = attempting();
    const headers = { Authorization: "AWS4 Credential=key/20261128/x, Signed", "X-Amz-Security-Token": "session" };
    const handler = async () => {
      clockwork.monotonicMs += 30;
      return answer(200, { ETag: '"1"' });
    };
    expect(await attempt(() => send(handler, headers))).toEqual({
      kind: "answer",
      value: { response: { statusCode: 200, headers: { ETag: '"1"' }, body: Buffer.from("words") }, output: "output" },
      attempt: {
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
    const { attempt, send } = attempting();
    const { attempt: seen } = await attempt(() => send(async () => answer(200)));
    expect(seen.signedBy).toBe(identityOf(""));
    expect(identityOf("", "a")).not.toBe(identityOf("a", ""));
  });

  it("words that were compressed on the way, which the SDK is given as they were", async () => {
    const { attempt, send } = attempting();
    const compressed = answer(404, { "content-encoding": "gzip" }, gzipSync("words"));
    expect((await attempt(() => send(async () => compressed))).attempt.text).toBe("words");
    expect(compressed.response.body).toEqual(Buffer.from("words"));
  });

  it("no words that are longer than any answer of S3, nor does the SDK get them", async () => {
    const { attempt, send } = attempting();
    const endless = answer(404, {}, Buffer.alloc(16 * 1024 * 1024 + 1, "x"));
    expect((await attempt(() => send(async () => endless))).attempt.text).toBe("");
    expect(endless.response.body).toEqual(Buffer.alloc(0));
  });

  it.each([
    [200, undefined],
    [299, undefined],
    [300, "words"],
    [404, "words"],
  ])("%i where its operation reads successes: %j", async (status, text) => {
    const { attempt, send } = attempting({ streams: true });
    expect((await attempt(() => send(async () => answer(status)))).attempt.text).toBe(text);
  });
});

describe("a request is sent once", () => {
  it("however often it is handed over", async () => {
    const { attempt, send } = attempting();
    let sent = 0;
    const handler = async () => {
      sent += 1;
      throw new Error("broken");
    };
    const error = { message: "broken" };
    const result = await attempt(() => send(handler).catch(() => send(handler)));
    expect(result).toMatchObject({ kind: "failure", error, attempt: { sentAtMs: 10_000 } });
    expect(sent).toBe(1);
  });

  it("also where its answer was fine: no second one was asked for", async () => {
    const { attempt, send } = attempting();
    const handler = async () => answer(200);
    const error = { message: "A request is sent once; whether to repeat it is decided elsewhere" };
    expect(await attempt(() => send(handler).then(() => send(handler)))).toMatchObject({ kind: "failure", error });
  });

  it("and a second time where a 301 has led elsewhere, which is what counts then", async () => {
    const { attempt, send } = attempting();
    const answers = [answer(301), answer(200), answer(200)];
    const handler = async () => answers.shift() ?? answer(500);
    const { attempt: seen } = await attempt(() => send(handler).then(() => send(handler)));
    expect(seen.status).toBe(200);
    expect(answers).toHaveLength(1);
  });

  it("without a word of what its sender expects", async () => {
    const { attempt, send } = attempting();
    const headers = { Expect: "100-continue", expect: "100-continue", "x-expect": "stays" };
    await attempt(() => send(async () => answer(200), headers));
    expect(headers).toEqual({ "x-expect": "stays" });
  });

  it.each([
    [10_000, 0],
    [10_001, 1],
  ])("and not after the time at which no caller waits any more (%i)", async (sendByMs, times) => {
    const { attempt, send } = attempting({ sendByMs });
    let sent = 0;
    const handler = async () => {
      sent += 1;
      return answer(200);
    };
    const result = await attempt(() => send(handler));
    expect(sent).toBe(times);
    if (times === 1) return;
    const error = { name: "AttemptRefused", message: "The time for this request was up before it was sent" };
    expect(result).toMatchObject({ kind: "failure", error, attempt: {} });
    expect(result.attempt.sentAtMs).toBeUndefined();
  });
});

describe("when its time is up", () => {
  it("before it is sent, it is not sent any more", async () => {
    const { attempt, send, clockwork } = attempting();
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
    const result = attempt(async (signal) => {
      signals.push(signal);
      await ready;
      return await send(handler);
    });
    expect(clockwork.keepsProcess).toBe(true);
    await clockwork.pass(29_999);
    expect(signals[0]?.aborted).toBe(false);
    await clockwork.pass(1);
    const message = "The request could not be prepared within 30000 ms";
    expect(await result).toMatchObject({ kind: "failure", error: { name: "AttemptTimeout", message } });
    expect(signals[0]?.aborted).toBe(true);
    goOn();
    await settled();
    expect(sent).toBe(0);
  });

  it("nor by what hears of that first", async () => {
    const { attempt, send, clockwork } = attempting();
    let sent = 0;
    const handler = async () => {
      sent += 1;
      return answer(200);
    };
    const result = attempt((signal) => {
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => send(handler).then(resolve, reject));
      });
    });
    await clockwork.pass(30_000);
    expect(await result).toMatchObject({ kind: "failure", error: { name: "AttemptTimeout" } });
    await settled();
    expect(sent).toBe(0);
  });

  it("afterwards, the time counts from when it left, and an answer that comes all the same is thrown away", async () => {
    const { attempt, send, clockwork } = attempting();
    let arrive = (_: ReturnType<typeof answer>) => {};
    const arrived = new Promise<ReturnType<typeof answer>>((resolve) => {
      arrive = resolve;
    });
    const result = attempt(() => send(() => arrived));
    await settled();
    expect(clockwork.pendingMs).toEqual([400]);
    await clockwork.pass(400);
    const message = "No complete answer within 400 ms";
    expect(await result).toMatchObject({ error: { name: "AttemptTimeout", message }, attempt: { sentAtMs: 10_000 } });
    let thrownAway = 0;
    const destroy = () => (thrownAway += 1);
    arrive(answer(200, {}, { destroy }));
    await settled();
    expect(thrownAway).toBeGreaterThan(0);
  });
});

describe("an answer that comes too late", () => {
  it("is told of, with after how long in whole milliseconds", async () => {
    const { attempt, send, clockwork } = attempting({ timeoutMs: 2000 / 3 });
    const result = attempt(() => send(() => new Promise(() => {})));
    await settled();
    await clockwork.pass(667);
    expect(await result).toMatchObject({ error: { message: "No complete answer within 667 ms" } });
  });

  it("has its body thrown away, or its socket would not return to the pool", async () => {
    const { attempt, send, clockwork } = attempting({ streams: true });
    let thrownAway = 0;
    const body = { destroy: () => (thrownAway += 1) };
    const result = attempt(async () => {
      await send(async () => answer(200, {}, body));
      await new Promise<never>(() => {});
    });
    await settled();
    expect(thrownAway).toBe(0);
    await clockwork.pass(400);
    expect(await result).toMatchObject({ kind: "failure", attempt: { status: 200 } });
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

  it("is none where none came", () => {
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
