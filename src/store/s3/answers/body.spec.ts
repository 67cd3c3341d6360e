import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readBody, readBytes } from "./body.js";

const NEVER = new AbortController().signal;
const WORDS = Buffer.from("words");

function webStream(chunks: readonly Uint8Array[], onCancel = () => {}): ReadableStream<Uint8Array> {
  const pending = [...chunks];
  return new ReadableStream({
    pull(controller) {
      const chunk = pending.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: onCancel,
  });
}

const FORMS: readonly (readonly [string, (chunks: readonly Buffer[]) => unknown])[] = [
  ["a Node stream", (chunks) => Readable.from(chunks)],
  ["a web stream", (chunks) => webStream(chunks)],
  ["a blob", (chunks) => new Blob([...(chunks as readonly Uint8Array<ArrayBuffer>[])])],
  ["bytes", (chunks) => new Uint8Array(Buffer.concat(chunks))],
];

describe.each(FORMS)("a body that comes as %s", (_, make) => {
  it("is read to its end, as bytes or as text", async () => {
    const halves = [WORDS.subarray(0, 2), WORDS.subarray(2)];
    expect(await readBytes(make(halves), undefined, 5, NEVER)).toEqual({ kind: "bytes", bytes: WORDS });
    expect(await readBody(make(halves), 5, 5, NEVER)).toEqual({ kind: "text", text: "words" });
  });

  it("is not read where it is longer than was said", async () => {
    expect(await readBytes(make([WORDS, WORDS]), undefined, 9, NEVER)).toEqual({ kind: "oversized" });
    expect(await readBody(make([WORDS, WORDS]), 10, 9, NEVER)).toEqual({ kind: "oversized" });
  });
});

it.each([undefined, null])("none (%s) is empty", async (body) => {
  expect(await readBytes(body, undefined, 5, NEVER)).toEqual({ kind: "bytes", bytes: Buffer.alloc(0) });
});

it("may come as texts", async () => {
  const body = Readable.from(["wor", "d\u00e9"]);
  expect(await readBody(body, undefined, 6, NEVER)).toEqual({ kind: "text", text: "word\u00e9" });
});

describe("a body that is not wanted any more", () => {
  it("is thrown away where it says that it is too long, before any of it is read", async () => {
    const body = Readable.from([WORDS]);
    expect(await readBytes(body, 6, 5, NEVER)).toEqual({ kind: "oversized" });
    expect(body.destroyed).toBe(true);
  });

  it("is thrown away when its time is up, whichever form it has, and is not taken for a whole one", async () => {
    let cancelled = 0;
    const cancel = () => {
      cancelled += 1;
    };
    const endless = () => new ReadableStream<Uint8Array>({ start: (control) => control.enqueue(WORDS), cancel });
    for (const body of [endless(), new Readable({ read() {} })]) {
      const stop = new AbortController();
      const reading = readBytes(body, undefined, 100, stop.signal);
      setImmediate(() => stop.abort());
      await expect(reading).rejects.toThrow();
    }
    expect(cancelled).toBe(1);
  });

  it("is left alone once it was read, whatever comes later", async () => {
    const stop = new AbortController();
    let thrownAway = 0;
    const body = {
      async *[Symbol.asyncIterator]() {
        yield WORDS;
      },
      destroy() {
        thrownAway += 1;
      },
    };
    await readBytes(body, undefined, 5, stop.signal);
    stop.abort();
    expect(thrownAway).toBe(0);
  });

  it("is cancelled where it is a web stream that turns out to be too long", async () => {
    let cancelled = 0;
    const body = webStream([WORDS, WORDS, WORDS, WORDS], () => {
      cancelled += 1;
    });
    expect(await readBytes(body, undefined, 5, NEVER)).toEqual({ kind: "oversized" });
    expect(cancelled).toBe(1);
  });

  it("a web stream whose end fails to be cancelled fails nothing else", async () => {
    const body = webStream([WORDS, WORDS], () => {
      throw new Error("cannot");
    });
    expect(await readBytes(body, undefined, 5, NEVER)).toEqual({ kind: "oversized" });
  });
});
