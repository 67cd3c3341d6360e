import type { Agent } from "node:http";
import { Readable } from "node:stream";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { describe, expect, it, vi } from "vitest";
import { readBody } from "../../src/store/s3/answers/body.js";
import { startS3Server } from "../../src/testing/index.js";
import { clientFor, OPTIONS, startStub, storeOver } from "./stub.js";

type HandlerInput = NonNullable<S3ClientConfig["requestHandler"]>;

const never = new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);

function webStream(chunks: readonly Uint8Array[], onCancel = () => {}): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: onCancel,
  });
}

describe.each([
  ["a Node stream", (chunks: readonly Uint8Array[]): unknown => Readable.from(chunks)],
  ["a web stream", (chunks: readonly Uint8Array[]): unknown => webStream(chunks)],
  ["a blob", (chunks: readonly Uint8Array[]): unknown => new Blob([...(chunks as Uint8Array<ArrayBuffer>[])])],
])("readBody of %s", (_, make) => {
  it("reads characters that are split between chunks", async () => {
    const [lock, rest] = [bytes("\u{1F512}").subarray(0, 2), bytes("\u{1F512}").subarray(2)];
    expect(await readBody(make([lock, rest]), 4, 10, never)).toEqual({ kind: "text", text: "\u{1F512}" });
  });

  it("replaces what is not UTF-8", async () => {
    expect(await readBody(make([Uint8Array.of(0x61, 0xff)]), undefined, 10, never)).toEqual({
      kind: "text",
      text: "a\uFFFD",
    });
  });

  it("stops where the body is too long, whatever its announced length", async () => {
    const chunks = [bytes("12345"), bytes("678901")];
    expect(await readBody(make(chunks), undefined, 10, never)).toEqual({ kind: "oversized" });
    expect(await readBody(make(chunks), 5, 10, never)).toEqual({ kind: "oversized" });
    expect(await readBody(make(chunks), 11, 11, never)).toEqual({ kind: "text", text: "12345678901" });
  });

  it("does not read what is announced as too long", async () => {
    expect(await readBody(make([bytes("1")]), 11, 10, never)).toEqual({ kind: "oversized" });
  });
});

it("an empty body is an empty text", async () => {
  expect(await readBody(undefined, undefined, 10, never)).toEqual({ kind: "text", text: "" });
});

it.each([11, undefined])("destroys what it does not read (announced length %s)", async (length) => {
  const node = Readable.from([bytes("12345678901"), bytes("2")]);
  await readBody(node, length, 10, never);
  expect(node.destroyed).toBe(true);
  let cancelled = false;
  await readBody(
    webStream([bytes("12345678901"), bytes("2")], () => (cancelled = true)),
    length,
    10,
    never,
  );
  expect(cancelled).toBe(true);
});

it.each([
  ["a Node stream", (): unknown => new Readable({ read() {} })],
  ["a web stream", (): unknown => new ReadableStream({})],
])("stops waiting for %s when it is told to", async (_, make) => {
  const controller = new AbortController();
  const reading = readBody(make(), undefined, 10, controller.signal);
  controller.abort(new Error("time is up"));
  await expect(reading).rejects.toThrow();
});

/** What the SDK's own fetch handler comes down to. */
const fetchHandler: HandlerInput = {
  metadata: { handlerProtocol: "fetch" },
  async handle(
    request: { protocol: string; hostname: string; port?: number; path: string; method: string; headers: object },
    { abortSignal }: { abortSignal?: AbortSignal } = {},
  ) {
    const url = `${request.protocol}//${request.hostname}:${request.port}${request.path}`;
    const { method } = request;
    const headers = Object.entries(request.headers).filter(([name]) => name !== "host");
    const answer = await fetch(url, { method, headers, ...(abortSignal === undefined ? {} : { signal: abortSignal }) });
    const response = { statusCode: answer.status, headers: Object.fromEntries(answer.headers), body: answer.body };
    return { response };
  },
} as unknown as HandlerInput;

it("works with a handler over fetch, whose bodies are web streams, time-out included", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  server.putObject("locks", "a", "a body");
  server.putObject("locks", "b", "x".repeat(100_000));
  const store = storeOver(clientFor(server.endpoint, { requestHandler: fetchHandler }));
  expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok", body: "a body" });
  expect(await store.read("b", OPTIONS)).toMatchObject({ kind: "oversized" });
  const stub = await startStub((_, response) => {
    response.writeHead(200, { etag: '"x"', "content-length": "10" });
    response.write("12345");
  });
  const stalling = storeOver(clientFor(stub.endpoint, { requestHandler: fetchHandler }));
  expect(await stalling.read("a", { timeoutMs: 40 })).toMatchObject({ kind: "unknown", sent: true });
});

it("oversized and timed-out bodies give their sockets back to the pool", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  server.putObject("locks", "long", "x".repeat(1_000_000));
  const client = clientFor(server.endpoint);
  const store = storeOver(client);
  for (let n = 0; n < 60; n += 1) expect((await store.read("long", OPTIONS)).kind).toBe("oversized");
  const rule = server.faults.add({ fault: "never-answer" });
  await Promise.all(Array.from({ length: 60 }, () => store.read("long", { timeoutMs: 20 })));
  rule.remove();
  const handler = client.config.requestHandler as unknown as { httpHandlerConfigs(): { httpAgent: Agent } };
  const { httpAgent } = handler.httpHandlerConfigs();
  await vi.waitFor(() => expect(Object.values(httpAgent.sockets).flat()).toHaveLength(0), { interval: 5 });
  expect(Object.values(httpAgent.requests).flat()).toHaveLength(0);
});
