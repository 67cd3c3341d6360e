import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { settled } from "../../../test/protocol/clockwork.js";
import { type Answered, clientAnswering, refusing } from "../../../test/store/handler.js";
import { DONE, looking, OPTIONS, sending } from "../../../test/store/sending.js";

it("remembers what the store calls itself, and which program it is, from the last answer that says so", async () => {
  const headers = [{ server: "one" }, { server: "other", "x-amz-delete-marker": "false" }, {}];
  const { client } = clientAnswering((_, count) => ({ statusCode: 200, headers: headers[count - 1] ?? {} }));
  const { send, state } = sending(client);
  await send();
  expect([state.server, state.program]).toEqual(["one", undefined]);
  await send();
  expect([state.server, state.program]).toEqual(["other", "gofakes3"]);
  await send();
  expect([state.server, state.program]).toEqual(["other", "gofakes3"]);
});

describe("what is sent", () => {
  it("is told as what its operation makes of a success", async () => {
    const { client, sent } = clientAnswering(() => DONE);
    const { send, state, clockwork } = sending(client);
    const timing = { sentAtMs: 10_000, receivedAtMs: 10_000, dateMs: Date.UTC(2026, 10, 28, 12) };
    expect(await send()).toEqual({ kind: "seen", value: "value", timing, status: 200 });
    expect(state.credentials.takenAtMs).toBeDefined();
    expect(sent).toHaveLength(1);
    expect(clockwork.pendingMs).toEqual([]);
  });

  it("is told as what its operation makes of an answer that it expects, with S3's code where it is of S3", async () => {
    const { client } = clientAnswering((_, count) =>
      count === 1 ? refusing(404, "NoSuchBucket") : { statusCode: 404 },
    );
    const { send, state } = sending(client);
    expect(await send()).toMatchObject({ kind: "missing", code: "NoSuchBucket", timing: { sentAtMs: 10_000 } });
    expect(state.credentials.takenAtMs).toBeDefined();
    expect(await send()).toMatchObject({ kind: "missing", code: undefined });
  });

  it("is shown to its operation with the words of the answer", async () => {
    const { client } = clientAnswering(() => ({ ...DONE, body: Readable.from([Buffer.from("words")]) }));
    const { sender } = sending(client);
    const onSuccess = (_: string, __: object, { text }: { readonly text?: string }) => ({ kind: "read", text });
    expect(await sender.send({ ...looking(client), onSuccess }, OPTIONS)).toEqual({ kind: "read", text: "words" });
  });

  it("is told as a refusal where the store turns it away, which says nothing for the credentials", async () => {
    const { client, sent } = clientAnswering(() => refusing(403, "AccessDenied"));
    const { send, state } = sending(client);
    expect(await send()).toMatchObject({ kind: "refused", error: { code: "access-denied" } });
    expect(state.credentials.takenAtMs).toBeUndefined();
    expect(sent).toHaveLength(1);
  });

  it("is unknown where a client answers by itself, as a mocked one does", async () => {
    const client = { config: { systemClockOffset: 0 }, send: async () => ({}) } as unknown as S3Client;
    const { send, state } = sending(client);
    expect(await send()).toMatchObject({
      error: { message: expect.stringMatching(/answered without sending: use a real one, over .*s3-mutex\/testing/) },
    });
    expect(state.credentials.takenAtMs).toBeUndefined();
  });
});

it("an answer that did not come whole is not shown to the operation", async () => {
  const reset = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  const cut = new Readable({ read: () => cut.destroy(reset) });
  const { client } = clientAnswering((_, count) =>
    count === 1 ? Promise.reject(reset) : { statusCode: 404, body: cut },
  );
  const { sender } = sending(client);
  const shown: number[] = [];
  const onStatus = (status: number) => void shown.push(status);
  for (let times = 0; times < 2; times += 1) {
    const outcome = await sender.send({ ...looking(client), onStatus }, OPTIONS);
    expect(outcome).toMatchObject({ kind: "unknown", sent: true });
  }
  expect(shown).toEqual([]);
});

describe("the time of a request", () => {
  it("is counted from when it leaves", async () => {
    const { client } = clientAnswering(() => new Promise<never>(() => {}));
    const { send, clockwork } = sending(client);
    const sent = send({ timeoutMs: 400 });
    await settled();
    await expect.poll(() => clockwork.pendingMs).toEqual([400]);
    await clockwork.pass(400);
    expect(await sent).toMatchObject({ kind: "unknown", sent: true });
  });

  it("is half a minute for what comes before", async () => {
    const { client } = clientAnswering(() => DONE, { credentials: () => new Promise<never>(() => {}) });
    const { send, clockwork } = sending(client);
    const sent = send();
    expect(await settled().then(() => clockwork.pendingMs)).toEqual([30_000]);
    await clockwork.pass(30_000);
    expect(await sent).toMatchObject({ kind: "unknown", sent: false });
  });

  it("ends when its caller does not wait for it any more", async () => {
    const { client, sent } = clientAnswering(() => DONE);
    const { send } = sending(client);
    expect(await send({ ...OPTIONS, giveUpAtMs: 10_000 })).toMatchObject({ kind: "unknown", sent: false });
    expect(await send({ ...OPTIONS, giveUpAtMs: 10_001 })).toMatchObject({ kind: "seen" });
    expect(sent).toHaveLength(1);
  });
});

describe("requests at once", () => {
  it("are as many as there are places, those of holders in some of their own; each gives its place back", async () => {
    const answers: (() => void)[] = [];
    const { client, sent } = clientAnswering(
      (_, count) =>
        new Promise<Answered>((resolve, reject) => {
          answers.push(() => (count === 1 ? reject(new Error("broken")) : resolve(DONE)));
        }),
    );
    const { send } = sending(client, 1);
    const outcomes = [send(OPTIONS, "one"), send(OPTIONS, "two"), send({ ...OPTIONS, urgent: true }, "urgent")];
    await expect.poll(() => sent.map(({ path }) => path.split("/")[1]).sort()).toEqual(["one", "urgent"]);
    for (let at = 0; at < 3; at += 1) {
      await expect.poll(() => answers.length).toBeGreaterThan(at);
      answers[at]?.();
    }
    const kinds = (await Promise.all(outcomes)).map((outcome) => (outcome as { kind: string }).kind);
    expect(kinds).toEqual(["unknown", "seen", "seen"]);
  });

  it("are fewer than the sockets of the client's pool", async () => {
    const { client, sent } = clientAnswering(() => new Promise<never>(() => {}));
    Object.assign(client.config.requestHandler, { httpHandlerConfigs: () => ({ httpAgent: { maxSockets: 1 } }) });
    const { send } = sending(client);
    void send();
    void send();
    await expect.poll(() => sent.length).toBe(1);
    await settled();
    expect(sent).toHaveLength(1);
  });
});

it.each([
  ["four minutes", 240_000, "unknown"],
  ["minus four minutes", -240_000, "unknown"],
  ["less", 239_999, "refused"],
])("a denial after which the SDK has corrected its clock by %s", async (_, correctionMs, kind) => {
  const { client } = clientAnswering(() => {
    client.config.systemClockOffset += correctionMs;
    return refusing(403, "AccessDenied");
  });
  client.config.systemClockOffset = 1_000_000;
  expect(await sending(client).send()).toMatchObject({ kind });
});
