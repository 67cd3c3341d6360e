import { describe, expect, it } from "vitest";
import type { Clockwork } from "../../../test/protocol/clockwork.js";
import { clientAnswering, refusing } from "../../../test/store/handler.js";
import { DONE, looking, OPTIONS, sending } from "../../../test/store/sending.js";
import { CREDENTIALS } from "../../../test/store/stub.js";

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

const ASKED = /400 ExpiredToken.*Asked for others, the credentials provider had not answered yet\.$/;

describe("a refusal for which others are looked for", () => {
  function refused(next: () => Promise<unknown>) {
    let asked = 0;
    const { client } = clientAnswering(
      ({ headers }, count) =>
        count === 1 || headers["authorization"]?.includes("Credential=new/") ? DONE : refusing(400, "ExpiredToken"),
      { credentials: () => (asked++ === 0 ? Promise.resolve(CREDENTIALS) : (next() as Promise<typeof CREDENTIALS>)) },
    );
    const told: (string | undefined)[] = [];
    const options = { ...OPTIONS, giveUpAtMs: 100_000, onRefusal: (error?: Error) => void told.push(error?.message) };
    return { ...sending(client), options, told, client };
  }

  it("is told before they have come", async () => {
    const { send, clockwork, options, told } = refused(() => new Promise(() => {}));
    await send();
    const outcome = send(options);
    await expect.poll(() => told).toEqual([expect.stringMatching(ASKED)]);
    // It is looked for twice.
    for (let times = 0; times < 2; times += 1) {
      await expect.poll(() => clockwork.pendingMs).toEqual([30_000]);
      await clockwork.pass(30_000);
    }
    expect(await outcome).toMatchObject({ kind: "refused", error: { message: expect.not.stringMatching(ASKED) } });
    expect(told).toEqual([expect.stringMatching(ASKED), expect.stringMatching(ASKED)]);
  });

  it("is taken back where the request is sent again with others", async () => {
    const { send, options, told } = refused(async () => ({ ...CREDENTIALS, accessKeyId: "new" }));
    await send();
    expect(await send(options)).toMatchObject({ kind: "seen" });
    expect(told).toEqual([expect.stringMatching(ASKED), undefined]);
  });

  it("is told also of requests after it that could not be signed, until the store takes one again", async () => {
    let given: unknown = { accessKeyId: "key" };
    const { send, clockwork, options, told, client } = refused(async () => given);
    await send();
    const first = send();
    await waitedOut(clockwork);
    expect(await first).toMatchObject({ kind: "refused" });
    const second = send(options);
    await waitedOut(clockwork);
    expect(await second).toMatchObject({ kind: "unknown", sent: false });
    expect(told[0]).toMatch(
      /400 ExpiredToken.* the credentials provider failed: it gave credentials without `accessKeyId`/,
    );
    given = { ...CREDENTIALS, accessKeyId: "new" };
    const third = send(options);
    await waitedOut(clockwork);
    expect(await third).toMatchObject({ kind: "seen" });
    expect(told.at(-1)).toBeUndefined();
    given = { accessKeyId: "key" };
    await client.config.credentials({ forceRefresh: true } as object);
    told.length = 0;
    const fourth = send(options);
    await waitedOut(clockwork);
    await fourth;
    expect(told[0]).toMatch(/no `accessKeyId` or no `secretAccessKey`/);
    expect(told[0]).not.toContain("400 ExpiredToken");
  });
});

/** The second is over that a request waits for before it looks for others again. */
async function waitedOut(clockwork: Clockwork): Promise<void> {
  await expect.poll(() => clockwork.pendingMs).toContain(1_000);
  await clockwork.pass(1_000);
}

it("a refusal for which others are looked for says why there are none as soon as that is known, until the store takes a request again", async () => {
  let asked = 0;
  const { client } = clientAnswering((_, count) => (count % 2 === 1 ? DONE : refusing(400, "ExpiredToken")), {
    credentials: () => (asked++ === 0 ? Promise.resolve(CREDENTIALS) : Promise.reject(new Error("vault is sealed"))),
  });
  const { send, clockwork } = sending(client);
  const FAILED = /400 ExpiredToken.*Asked for others, the credentials provider failed: vault is sealed\.$/;
  for (let times = 0; times < 2; times += 1) {
    expect(await send()).toMatchObject({ kind: "seen" });
    const told: (string | undefined)[] = [];
    const refused = send({ ...OPTIONS, onRefusal: (error?: Error) => void told.push(error?.message) });
    await waitedOut(clockwork);
    expect(await refused).toMatchObject({ kind: "refused", error: { message: expect.stringMatching(FAILED) } });
    expect(told).toEqual([expect.stringMatching(ASKED), expect.stringMatching(FAILED)]);
    await clockwork.pass(1_000);
  }
});

describe("other credentials", () => {
  it("are looked for once where none have ever worked, and twice where others did, a second apart", async () => {
    let asked = 0;
    const { client, sent } = clientAnswering(
      ({ headers }, count) =>
        count === 2 || headers["authorization"]?.includes("Credential=new/") ? DONE : refusing(400, "ExpiredToken"),
      { credentials: async () => ({ ...CREDENTIALS, accessKeyId: ++asked > 3 ? "new" : "old" }) },
    );
    const { send, clockwork } = sending(client);
    expect(await send()).toMatchObject({ kind: "refused" });
    expect(await send()).toMatchObject({ kind: "seen" });
    await clockwork.pass(1_000);
    const late = send();
    await waitedOut(clockwork);
    expect(await late).toMatchObject({ kind: "seen" });
    expect(sent).toHaveLength(4);
  });

  it("are not tried without an end, though there are always others", async () => {
    let asked = 0;
    const { client, sent } = clientAnswering((_, count) => (count === 1 ? DONE : refusing(400, "ExpiredToken")), {
      credentials: async () => ({ ...CREDENTIALS, accessKeyId: `key-${++asked}` }),
    });
    const { send, clockwork } = sending(client);
    await send();
    const outcome = send();
    await waitedOut(clockwork);
    expect(await outcome).toMatchObject({ kind: "refused" });
    expect(sent).toHaveLength(4);
  });

  it("are told as they are where they cannot sign: of what gives them nothing more is to be said", async () => {
    const { client, sent } = clientAnswering(() => DONE, {
      credentials: async () => ({ accessKeyId: "key" }) as typeof CREDENTIALS,
    });
    const outcome = await sending(client).send();
    const message = expect.stringMatching(/no `accessKeyId` or no `secretAccessKey`/);
    expect(outcome).toMatchObject({ kind: "refused", error: { message } });
    expect(JSON.stringify(outcome)).not.toContain("Asked for others");
    expect(sent).toEqual([]);
  });

  it("may be right where the store has taken others of the client: then it may sign this request in another way", async () => {
    const { client } = clientAnswering((_, count) => (count === 2 ? DONE : refusing(403, "SignatureDoesNotMatch")));
    const { send, clockwork } = sending(client);
    const words = async () => ((await send()) as unknown as { error?: Error }).error?.message;
    expect(await words()).toContain("The secret does not fit the access key");
    expect(await words()).toBeUndefined();
    await clockwork.pass(1_000);
    const third = words();
    await waitedOut(clockwork);
    expect(await third).toContain("The store has taken other requests with these credentials");
  });
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

  it("is built once more where the function has failed for once", async () => {
    let asked = 0;
    const credentials = async () => {
      asked += 1;
      if (asked === 1) throw new Error("vault restarts");
      return CREDENTIALS;
    };
    const { client, sent } = clientAnswering(() => DONE, { credentials });
    expect(await sending(client).send()).toMatchObject({ kind: "seen" });
    expect(sent).toHaveLength(1);
  });

  it("is built twice at most, and once where the region is the matter", async () => {
    const built = async (config: object, bucket: string) => {
      const { client } = clientAnswering(() => DONE, config);
      const { sender } = sending(client);
      const operation = looking(client, bucket);
      let starts = 0;
      const start = () => {
        starts += 1;
        return operation.start();
      };
      expect(await sender.send({ ...operation, start }, OPTIONS)).toMatchObject({ kind: "refused" });
      return starts;
    };
    expect(await built({}, "")).toBe(2);
    const region = () => Promise.reject(new Error("Region is missing"));
    expect(await built({ region }, "locks")).toBe(1);
  });
});
