import { expect, it } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { NO_HEADERS } from "../../src/store/s3/client/store-headers.js";
import { Listings } from "../../src/store/s3/listings.js";
import type { S3Store } from "../../src/store/s3/s3-store.js";
import { type StoreQuirks, startS3Server } from "../../src/testing/index.js";
import { CREDENTIALS, clientFor, OPTIONS, storeOver } from "./stub.js";

async function withKeys(quirks: StoreQuirks, keys: readonly string[]) {
  const server = await startS3Server({ buckets: ["locks"], quirks, pageSize: 3 });
  for (const key of keys) server.putObject("locks", key, "{}");
  const lists = () => server.recentRequests.filter(({ operation }) => operation === "ListObjectsV2").length;
  return { server, lists, [Symbol.asyncDispose]: () => server.close() };
}

async function allKeys(store: S3Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for (let continuation: string | undefined; ; ) {
    const page = await store.list(prefix, { ...OPTIONS, ...(continuation === undefined ? {} : { continuation }) });
    if (page.kind !== "ok") throw new Error(page.kind);
    keys.push(...page.keys);
    expect([...page.etags.keys()].toSorted()).toEqual(page.keys.toSorted());
    continuation = page.continuation;
    if (continuation === undefined) return keys.toSorted();
  }
}

const FOLDERS = ["folders-only", "folders-or-nothing"] as const;
const KEYS = ["locks/a.json", "locks/team-1.json", "locks/team-2.json", "locks/team/x.json", "locks/z1", "locks/z2"];

it.each(FOLDERS)("S7: where only folders are listed (%s), the folder above is, and chosen from", async (listings) => {
  await using subject = await withKeys({ listings }, KEYS);
  const store = storeOver(clientFor(subject.server.endpoint));
  expect(await allKeys(store, "locks/te")).toEqual(KEYS.slice(1, 4));
  expect(await allKeys(store, "locks/team-")).toEqual(KEYS.slice(1, 3));
  expect(await allKeys(store, "locks/team/")).toEqual(KEYS.slice(3, 4));
  expect(await allKeys(store, "locks/none")).toEqual([]);
  expect(await allKeys(store, "lo")).toEqual(KEYS);
  expect(await allKeys(store, "")).toEqual(KEYS);
});

it.each(FOLDERS)("S7: what is learnt while a listing goes on does not change it (%s)", async (listings) => {
  await using subject = await withKeys({}, KEYS);
  const store = storeOver(clientFor(subject.server.endpoint));
  const first = await store.list("locks/", OPTIONS);
  if (first.kind !== "ok" || first.continuation === undefined) throw new Error(first.kind);
  subject.server.setQuirks({ listings });
  expect(await allKeys(store, "locks/team-")).toEqual(KEYS.slice(1, 3));
  const second = await store.list("locks/", { ...OPTIONS, continuation: first.continuation });
  expect(second.kind === "ok" && [...first.keys, ...second.keys].toSorted()).toEqual(KEYS);
});

it("S7: any other store is asked for just what is wanted, with a request a page", async () => {
  await using subject = await withKeys({}, KEYS);
  const store = storeOver(clientFor(subject.server.endpoint));
  expect(await allKeys(store, "locks/team-")).toEqual(KEYS.slice(1, 3));
  expect(await allKeys(store, "locks/none")).toEqual([]);
  expect(subject.lists()).toBe(2);
});

it("S7: a prefix with nothing in it is looked into once, not again and again", async () => {
  await using subject = await withKeys({}, KEYS);
  const store = storeOver(clientFor(subject.server.endpoint));
  expect(await allKeys(store, "locks/none")).toEqual([]);
  const before = subject.lists();
  expect(await allKeys(store, "locks/none")).toEqual([]);
  expect(subject.lists()).toBe(before + 1);
});

it.each(["team--use1-az4--x-s3", "team--use1-az4--xa-s3"])(
  "S7: a directory bucket is known by its name (%s)",
  async (bucket) => {
    const asked: unknown[] = [];
    const send = (operation: { start(): { command: object } }) => {
      asked.push((operation.start().command as { input: { Prefix: string } }).input.Prefix);
      return Promise.resolve({ kind: "ok", keys: ["locks/other", "locks/team"], etags: new Map() });
    };
    const options = {
      client: clientFor("http://127.0.0.1:1"),
      bucket,
      state: {},
      fields: NO_HEADERS,
      sender: { send: send as never },
    };
    expect(await new Listings(options).page("locks/te", undefined, OPTIONS)).toMatchObject({ keys: ["locks/team"] });
    expect(asked).toEqual(["locks/"]);
  },
);

it.each(FOLDERS)("S7: list, watch and cleanup by the beginning of names (%s)", async (listings) => {
  await using subject = await withKeys({ listings }, []);
  const s3ClientConfig = {
    endpoint: subject.server.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: CREDENTIALS,
  };
  const mutex = new S3Mutex({ s3ClientConfig, bucketName: "locks" });
  const held = await Promise.all(["team/a", "team/b", "tea", "other"].map((name) => mutex.acquire(name)));
  const names = async (prefix: string) => {
    const found: string[] = [];
    for await (const { lockName } of mutex.list({ prefix })) found.push(lockName);
    return found.toSorted();
  };
  expect(await names("team/")).toEqual(["team/a", "team/b"]);
  expect(await names("te")).toEqual(["tea", "team/a", "team/b"]);
  for await (const { locks } of mutex.watch({ prefix: "te" })) {
    expect(locks).toHaveLength(3);
    break;
  }
  await Promise.all(held.map((lock) => lock.release()));
  expect(await mutex.cleanupStaleLocks({ prefix: "locks/te" })).toMatchObject({ total: 3 });
  await mutex.close();
});
