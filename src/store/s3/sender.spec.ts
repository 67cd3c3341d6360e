import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { HeadBucketCommand } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { Clockwork, settled } from "../../../test/protocol/clockwork.js";
import { type Answered, clientAnswering, refusing } from "../../../test/store/handler.js";
import { CREDENTIALS } from "../../../test/store/stub.js";
import type { RequestOptions } from "../object-store.js";
import type { Operation } from "./answers/operation.js";
import { stateOf } from "./client/client-state.js";
import { Sender } from "./sender.js";

const OPTIONS = { timeoutMs: 5_000 };
const DONE: Answered = { statusCode: 200, headers: { date: "Sat, 28 Nov 2026 12:00:00 GMT" } };

/** Asks for the head of a bucket; of errors it expects 404. */
const looking = (client: S3Client, bucket = "locks"): Operation<string, object> => ({
  request: { action: "s3:ListBucket", bucket, isHead: true },
  start: () => {
    const command = new HeadBucketCommand({ Bucket: bucket });
    return {
      command,
      work: async (signal) => {
        await client.send(command, { abortSignal: signal });
        return "value";
      },
    };
  },
  onSuccess: (value, timing, { status }) => ({ kind: "seen", value, timing, status }),
  onStatus: (status, { code }, timing) => (status === 404 ? { kind: "missing", code, timing } : undefined),
});

function sending(client: S3Client, maxInFlight = 40) {
  const clockwork = new Clockwork();
  const state = stateOf(client, maxInFlight);
  const sender = new Sender(client, state, clockwork.effects);
  const send = (options: RequestOptions = OPTIONS, bucket?: string) => sender.send(looking(client, bucket), options);
  return { clockwork, state, sender, send };
}

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

describe("credentials that the store does not take any more", () => {
  function expiring(provider: () => Promise<typeof CREDENTIALS>) {
    const { client, sent } = clientAnswering(
      ({ headers }) => (headers["authorization"]?.includes("Credential=new/") ? DONE : refusing(400, "ExpiredToken")),
      { credentials: provider },
    );
    return { ...sending(client), sent };
  }

  it("are asked for anew, and the request is sent once more with others", async () => {
    let asked = 0;
    const { send, sent } = expiring(async () => ({ ...CREDENTIALS, accessKeyId: asked++ === 0 ? "old" : "new" }));
    expect(await send()).toMatchObject({ kind: "seen" });
    expect(sent).toHaveLength(2);
  });

  it("are the end of it where there are no others", async () => {
    const { send, sent } = expiring(async () => ({ ...CREDENTIALS, accessKeyId: "old" }));
    expect(await send()).toMatchObject({
      kind: "refused",
      error: { message: expect.stringContaining("ExpiredToken") },
    });
    expect(sent).toHaveLength(1);
  });

  it.each([
    [undefined, 30_000],
    [10_200, 200],
    [100_000, 30_000],
  ])("are waited for until the caller gives up, at %s, which is for %i ms", async (giveUpAtMs, waitsMs) => {
    let asked = 0;
    const { send, sent, clockwork } = expiring(() =>
      asked++ === 0 ? Promise.resolve({ ...CREDENTIALS, accessKeyId: "old" }) : new Promise<never>(() => {}),
    );
    const outcome = send({ ...OPTIONS, ...(giveUpAtMs === undefined ? {} : { giveUpAtMs }) });
    await expect.poll(() => asked).toBe(2);
    expect(clockwork.pendingMs).toEqual([waitsMs]);
    await clockwork.pass(waitsMs);
    expect(await outcome).toMatchObject({ kind: "refused" });
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

it("why there are no other credentials is quoted beside what the store said, and only where asking for them failed", async () => {
  let asked = 0;
  const fails = async () => {
    asked += 1;
    if (asked > 1) throw new Error("vault is sealed");
    return CREDENTIALS;
  };
  const said = async (credentials: () => Promise<typeof CREDENTIALS>) => {
    const outcome = await sending(clientAnswering(() => refusing(400, "ExpiredToken"), { credentials }).client).send();
    expect(outcome).toMatchObject({ kind: "refused", error: { code: "access-denied", cause: expect.any(Error) } });
    return (outcome as unknown as { error: Error }).error.message;
  };
  const without = await said(async () => CREDENTIALS);
  const words = " Asked for others, the credentials provider failed: vault is sealed.";
  expect(await said(fails)).toBe(`${without}${words}`);
});

describe("a request that could not be built", () => {
  const failing = (thrown: unknown) => clientAnswering(() => DONE, { credentials: () => Promise.reject(thrown) });

  it("is told as the credentials function's, where that has failed", async () => {
    const { client, sent } = failing(new Error("vault said no"));
    expect(await sending(client).send()).toMatchObject({
      kind: "refused",
      about: "credentials",
      error: { code: "access-denied", message: expect.stringContaining("could not be had: vault said no") },
    });
    expect(sent).toEqual([]);
  });

  it("is told as it is where the function gives credentials", async () => {
    const { client } = clientAnswering(() => DONE);
    const outcome = await sending(client).send(OPTIONS, "");
    expect(outcome).toMatchObject({ kind: "refused", error: { code: "invalid-argument" } });
  });

  it("is the only one that the function is asked about once more", async () => {
    const elsewhere = { statusCode: 301, headers: { "x-amz-bucket-region": "eu-central-1" } };
    const { client } = clientAnswering((_, count) => (count === 1 ? DONE : elsewhere));
    let asked = 0;
    const value = async () => {
      asked += 1;
      return CREDENTIALS;
    };
    // A provider that is set would be asked once, and remembered.
    Object.defineProperty(client.config, "credentials", { value });
    const { send } = sending(client);
    await send();
    const usual = asked;
    const error = { code: "invalid-argument", message: expect.stringContaining("eu-central-1") };
    expect(await send()).toMatchObject({ kind: "refused", error });
    expect(asked).toBe(2 * usual);
  });

  it("is not that of a client that answers without sending", async () => {
    const { client } = failing(new Error("vault said no"));
    client.send = async () => ({});
    expect(await sending(client).send()).toMatchObject({
      error: { message: expect.stringContaining("answered without sending") },
    });
  });
});
