import { expect, it } from "vitest";
import { Clockwork, settled } from "../../../../test/protocol/clockwork.js";
import { type Answered, clientAnswering } from "../../../../test/store/handler.js";
import type { DeleteMarker } from "../../object-store.js";
import { stateOf } from "../client/client-state.js";
import { NO_HEADERS } from "../client/store-headers.js";
import { Sender } from "../sender.js";
import { Markers } from "./markers.js";

const OPTIONS = { timeoutMs: 5_000 };
const TIMING = { sentAtMs: 10_000, receivedAtMs: 10_000 };

/** Markers of a bucket whose listings of versions are these. */
function listing(...answers: readonly (Answered | Promise<Answered>)[]) {
  const { client, sent } = clientAnswering((_, count) => answers[count - 1] ?? { statusCode: 500 });
  const clockwork = new Clockwork();
  const sender = new Sender(client, stateOf(client, 40), clockwork.effects);
  const fields = { ...NO_HEADERS, list: { ExpectedBucketOwner: "123456789012" } };
  const markers = new Markers({
    client,
    bucket: "locks",
    fields,
    sender,
  });
  const explain = async (deleteMarker?: DeleteMarker, key = "a") => {
    const absent = { kind: "absent", timing: TIMING, ...(deleteMarker === undefined ? {} : { deleteMarker }) } as const;
    const explained = await markers.explained(key, absent, OPTIONS);
    expect(explained).toMatchObject({ kind: "absent", timing: TIMING });
    return explained.deleteMarker;
  };
  const stall = (key = "a") => {
    for (let n = 0; n < 2; n += 1) markers.refused(key);
  };
  return { markers, sent, explain, stall, clockwork };
}

const versions = (entries: string): Answered => {
  return { statusCode: 200, headers: {}, body: Buffer.from(`<ListVersionsResult>${entries}</ListVersionsResult>`) };
};
const marker = (id: string, key = "a", isLatest = true) =>
  `<DeleteMarker><Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${isLatest}</IsLatest></DeleteMarker>`;
const version = (id: string) => `<Version><Key>a</Key><VersionId>${id}</VersionId><IsLatest>true</IsLatest></Version>`;

it("the list is not asked for before a create was refused twice on a key that reads say is absent", async () => {
  const { markers, sent, explain } = listing();
  expect(await explain()).toBeUndefined();
  markers.refused("a");
  markers.refused("b");
  expect(await explain()).toBeUndefined();
  markers.noteFound("a");
  markers.refused("a");
  expect(await explain()).toBeUndefined();
  expect(sent).toEqual([]);
});

it("then the marker on top of that very key is found, by one request for all who ask", async () => {
  const others = marker("m0", "a", false) + marker("m2", "ab");
  const { explain, stall, sent } = listing(versions(others + marker("m1")));
  stall();
  expect(await Promise.all([explain(), explain({})])).toEqual([{ versionId: "m1" }, { versionId: "m1" }]);
  expect(await explain()).toEqual({ versionId: "m1" });
  expect(sent).toHaveLength(1);
  expect(sent[0]?.headers["x-amz-expected-bucket-owner"]).toBe("123456789012");
});

it("a store that names the marker itself is not asked", async () => {
  const { explain, stall, sent } = listing();
  stall();
  expect(await explain({ versionId: "m1" })).toEqual({ versionId: "m1" });
  expect(sent).toEqual([]);
});

it("of a key with an object on top it is said that there is none, unless the read has shown one", async () => {
  const { explain, stall } = listing(versions(version("v1") + marker("m1", "a", false)));
  stall();
  expect(await explain()).toBe("none");
  expect(await explain({})).toEqual({});
});

it.each([
  ["no versions", versions("")],
  ["an object that is not on top", versions(version("v1").replace("true", "false"))],
  ["those of other keys", versions(marker("m1", "ab") + version("v1").replace("<Key>a<", "<Key>ab<"))],
  [
    "another listing",
    { statusCode: 200, body: Buffer.from("<ListBucketResult><Name>locks</Name></ListBucketResult>") },
  ],
])("a list that shows %s says nothing", async (_, answer) => {
  const { explain, stall } = listing(answer);
  stall();
  expect(await explain({})).toEqual({});
  expect(await explain()).toBeUndefined();
});

it.each([
  ["denies it", 403, 1],
  ["does not know it", 501, 1],
  ["fails", 500, 3],
])("a store that %s says nothing, and is not asked again and again", async (_, status, times) => {
  const body = Buffer.from("<Error><Code>AccessDenied</Code></Error>");
  const { explain, stall, sent } = listing(...Array.from({ length: 9 }, () => ({ statusCode: status, body })));
  stall();
  expect(await explain({})).toEqual({});
  for (let n = 0; n < 5; n += 1) expect(await explain()).toBeUndefined();
  expect(sent).toHaveLength(times);
});

it("a list is waited for a second, and called off", async () => {
  const { explain, stall, sent, clockwork } = listing(new Promise<Answered>(() => {}));
  stall();
  const explaining = explain();
  await expect.poll(() => sent.length, { interval: 1 }).toBe(1);
  await clockwork.pass(999);
  expect(sent[0]?.signal?.aborted).toBe(false);
  await clockwork.pass(1);
  await settled();
  expect(sent[0]?.signal?.aborted).toBe(true);
  expect(await explaining).toBeUndefined();
});

it("a marker may have no id", async () => {
  const { explain, stall } = listing(versions(marker("m1").replace("<VersionId>m1</VersionId>", "")));
  stall();
  expect(await explain()).toEqual({});
});

it("a store that has not answered once is asked again", async () => {
  const { explain, stall } = listing({ statusCode: 500 }, versions(marker("m1")));
  stall();
  expect(await explain()).toBeUndefined();
  expect(await explain()).toEqual({ versionId: "m1" });
});

it("what was read or created again is asked about anew", async () => {
  const { markers, explain, stall } = listing(versions(marker("m1")), versions(marker("m2")));
  stall();
  expect(await explain()).toEqual({ versionId: "m1" });
  markers.noteFound("a");
  expect(await explain()).toBeUndefined();
  stall();
  expect(await explain()).toEqual({ versionId: "m2" });
});

it("a hundred keys in trouble are kept in mind, and no more", async () => {
  const { explain, stall, sent } = listing();
  for (let n = 0; n <= 100; n += 1) stall(`key-${n}`);
  await explain(undefined, "key-100");
  expect(sent).toEqual([]);
  await explain(undefined, "key-99");
  expect(sent).toHaveLength(1);
});
