import { S3Client } from "@aws-sdk/client-s3";
import { afterEach, describe, expect, it } from "vitest";
import { fetchStore } from "../../src/fetch/index.js";
import type { StoreCheckedEvent } from "../../src/runtime/base/events.js";
import { S3Mutex } from "../../src/s3-mutex.js";
import { type S3Server, type StoreQuirks, startS3Server } from "../../src/testing/index.js";

const BUCKET = "forms";
const MARKER = "locks/.s3-mutex/checked.json";
const LOCK = "locks/a.json";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Starts a server like Ceph 16 and DigitalOcean Spaces: it shows ETags in quotes, and knows them without only. */
async function serverLikeCeph(): Promise<S3Server> {
  const server = await startS3Server({ buckets: [BUCKET], quirks: { etagForm: "unquoted-only" } });
  open.push(() => server.close());
  return server;
}

/** The server does not look at signatures. */
class Signer {
  readonly #input: { readonly url: string; readonly headers: Record<string, string> };

  constructor(input: { readonly url: string; readonly headers: Record<string, string> }) {
    this.#input = input;
  }

  async sign() {
    return { url: new URL(this.#input.url), headers: new Headers(this.#input.headers) };
  }
}

/** A process of its own, as far as a store can tell: nothing is known to its client. */
type Process = (server: S3Server) => { readonly mutex: S3Mutex; readonly events: StoreCheckedEvent[] };

const watched = (mutex: S3Mutex) => {
  const events: StoreCheckedEvent[] = [];
  mutex.on("checked", (event) => events.push(event));
  open.push(() => mutex.close());
  return { mutex, events };
};

const overSdk: Process = (server) => {
  const s3Client = new S3Client({ ...server.clientConfig(), maxAttempts: 1 });
  return watched(new S3Mutex({ s3Client, bucketName: BUCKET }));
};

const overFetch: Process = (server) => {
  const { endpoint } = server.clientConfig() as { endpoint: string };
  const credentials = { accessKeyId: "key", secretAccessKey: "secret" };
  const signer = Signer as unknown as Parameters<typeof fetchStore>[0]["signer"];
  return watched(new S3Mutex({ store: fetchStore({ endpoint, bucketName: BUCKET, credentials, signer }) }));
};

/** Waits until nothing has been asked for a while. */
async function settle(server: S3Server): Promise<void> {
  for (let seen = -1; seen !== server.requests.total; ) {
    seen = server.requests.total;
    await new Promise((resolve) => setTimeout(resolve, 150));
    await server.settled();
  }
}

async function requestsOf(server: S3Server, work: () => Promise<unknown>): Promise<string[]> {
  await settle(server);
  server.resetRequests();
  await work();
  await settle(server);
  return server.recentRequests.map(({ operation, key, status }) => `${operation} ${key} ${status}`);
}

const turn = ({ mutex }: ReturnType<Process>, name = "a") => mutex.withLock(name, () => {});

/** Goes on until its process has ended its check, so that the record tells of it. */
const longTurn = (server: S3Server, { mutex }: ReturnType<Process>) => mutex.withLock("a", () => settle(server));

describe.each([
  ["the SDK", overSdk],
  ["fetch", overFetch],
])("over %s, where ETags count without their quotes only, what one process has found out", (_, processOn) => {
  it("costs none that comes after it a request: 3 for a free lock, 2 in the same process, 4 for a new lock", async () => {
    const server = await serverLikeCeph();
    await longTurn(server, processOn(server));
    const second = processOn(server);
    const free = ["GetObject locks/a.json 200", "PutObject locks/a.json 200", "PutObject locks/a.json 200"];
    expect(await requestsOf(server, () => turn(second))).toEqual(free);
    expect(second.events).toMatchObject([{ verdict: "passed", by: "record" }]);
    expect(await requestsOf(server, () => turn(second))).toEqual(free.slice(1));
    const third = processOn(server);
    const fresh = await requestsOf(server, () => turn(third, "fresh"));
    expect(fresh.toSorted()).toEqual([
      `GetObject ${MARKER} 200`,
      "GetObject locks/fresh.json 404",
      "PutObject locks/fresh.json 200",
      "PutObject locks/fresh.json 200",
    ]);
    expect(third.events).toMatchObject([{ verdict: "passed", by: "marker" }]);
    // A client that has gone by the word of the marker has said so in the record that it has made.
    expect(await requestsOf(server, () => turn(processOn(server), "fresh"))).toHaveLength(3);
  });

  it.each<[string, StoreQuirks, number]>([
    ["knows them in quotes only now", { etagForm: "quoted-only" }, 10],
    ["knows them in either form now", { etagForm: "any" }, 3],
  ])("and is learnt anew by one that comes to a store that %s", async (__, quirks, requests) => {
    const server = await serverLikeCeph();
    await longTurn(server, processOn(server));
    server.setQuirks(quirks);
    const second = processOn(server);
    expect((await requestsOf(server, () => turn(second))).length).toBeLessThanOrEqual(requests);
    expect(second.events).toMatchObject([{ verdict: "passed", by: "record" }]);
    expect(await requestsOf(server, () => turn(second))).toHaveLength(2);
    // What it has learnt, it has written along.
    expect(await requestsOf(server, () => turn(processOn(server)))).toHaveLength(3);
  });

  it("is dropped where a store refuses such a condition", async () => {
    const server = await serverLikeCeph();
    await longTurn(server, processOn(server));
    server.setQuirks({});
    server.faults.add({ fault: "status", status: 400, operation: "PutObject", key: LOCK, times: 1 });
    const second = processOn(server);
    const requests = await requestsOf(server, () => turn(second));
    expect(requests).toHaveLength(4);
    expect(requests[1]).toBe("PutObject locks/a.json 400");
    expect(server.getObject(BUCKET, LOCK)?.text).not.toContain("unquoted");
  });

  it("is not believed of a record that was copied", async () => {
    const server = await serverLikeCeph();
    await longTurn(server, processOn(server));
    const copied = server.getObject(BUCKET, LOCK)?.text ?? "";
    expect(copied).toContain('"etagForm":"unquoted"');
    server.setQuirks({ etagForm: "quoted-only" });
    server.deleteObject(BUCKET, MARKER);
    server.setClockOffset(20_000);
    server.putObject(BUCKET, LOCK, copied);
    const second = processOn(server);
    const requests = await requestsOf(server, () => turn(second));
    expect(second.events).toMatchObject([{ verdict: "passed", by: "requests" }]);
    expect(requests).not.toContain(`PutObject ${LOCK} 412`);
    expect(server.getObject(BUCKET, LOCK)?.text).not.toContain("unquoted");
  });
});
