import { expect, it } from "vitest";
import { Clockwork } from "../../../../test/protocol/clockwork.js";
import { type Answered, clientAnswering, OF_S3 } from "../../../../test/store/handler.js";
import { type ReadOutcome, versioningOf } from "../../object-store.js";
import { stateOf } from "../client/client-state.js";
import { NO_HEADERS } from "../client/store-headers.js";
import { S3Requests } from "../requests.js";
import { Sender } from "../sender.js";
import { BodyHashes } from "./body-hash.js";
import { PutChecksums } from "./put-checksum.js";
import { Versions } from "./versions.js";

const OPTIONS = { timeoutMs: 5_000 };
const TIMING = { sentAtMs: 10_000, receivedAtMs: 10_000 };

/** Requests to a store that answers these, one after the other, and what is learnt of its versions. */
function asking(...answers: readonly Answered[]) {
  const { client } = clientAnswering((_, count) => answers[count - 1] ?? { statusCode: 500 });
  const state = stateOf(client, 40);
  const { bodyHash, checksum, versions } = state.bucket("locks");
  const known = new Versions(versions);
  const sender = new Sender(client, state, new Clockwork().effects);
  const requests = new S3Requests({
    client,
    bucket: "locks",
    maxBodyBytes: 100,
    hashes: new BodyHashes(bodyHash),
    checksums: new PutChecksums(checksum),
    versions: known,
    fields: NO_HEADERS,
    sender,
  });
  return { requests, versions: known };
}

const found = (body: string, headers: Record<string, string> = { ...OF_S3, etag: '"1"' }): Answered => {
  return { statusCode: 200, headers, body: Buffer.from(body) };
};
const versioned = (id: string) => ({ ...OF_S3, etag: '"1"', "x-amz-version-id": id });
const absent = (headers: Record<string, string>, code = "<Code>NoSuchKey</Code>"): Answered => {
  return { statusCode: 404, headers, body: Buffer.from(code === "" ? "" : `<Error>${code}</Error>`) };
};
const MARKED = { "x-amz-delete-marker": "true" };

it.each([
  ["enabled", versioned("v1"), { versionId: "v1" }],
  ["suspended", versioned("null"), { versionId: "null" }],
  ["none", { ...OF_S3, etag: '"1"' }, {}],
  ["none", versioned(""), {}],
] as const)("each answer about an object tells: %s", async (versioning, headers, shown) => {
  const reading = asking(found("{}", headers));
  const read = await reading.requests.get("a", undefined, OPTIONS);
  expect(read).toMatchObject({ kind: "ok", body: "{}", ...shown });
  const writing = asking(found("", headers));
  const written = await writing.requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS);
  expect(written).toEqual({ kind: "ok", etag: '"1"', ...shown, timing: TIMING });
  for (const outcome of [read as ReadOutcome, written]) {
    expect("versionId" in outcome).toBe("versionId" in shown);
    expect(versioningOf(outcome)).toBe(versioning);
  }
  for (const { versions } of [reading, writing]) expect(versions.areKept).toBe(versioning !== "none");
});

it.each([
  ["with its id", { ...MARKED, "x-amz-version-id": "m1" }, { versionId: "m1" }, "enabled"],
  ["where versioning is suspended", { ...MARKED, "x-amz-version-id": "null" }, { versionId: "null" }, "suspended"],
  ["without an id", MARKED, {}, undefined],
] as const)(
  "a delete marker tells, in whatever words the absence: %s",
  async (_, headers, deleteMarker, versioning) => {
    for (const answer of [absent(headers), absent(headers, ""), absent(headers, "<Code>NoSuchVersion</Code>")]) {
      const { requests, versions } = asking(answer);
      const outcome = (await requests.get("a", undefined, OPTIONS)) as ReadOutcome;
      expect(outcome).toEqual({ kind: "absent", deleteMarker, timing: TIMING });
      expect(versioningOf(outcome)).toBe(versioning);
      expect(versions.areKept).toBe(true);
    }
  },
);

it.each([
  ["an object that was never there", absent({})],
  ["a version that is not a marker", absent({ "x-amz-delete-marker": "false", "x-amz-version-id": "v1" })],
])("%s tells nothing", async (_, answer) => {
  const { requests, versions } = asking(answer);
  const outcome = (await requests.get("a", undefined, OPTIONS)) as ReadOutcome;
  expect(outcome).toEqual({ kind: "absent", timing: TIMING });
  expect(versioningOf(outcome)).toBeUndefined();
  expect(versions.areKept).toBe(false);
});

it.each<[string, boolean, Record<string, string>]>([
  ["leaves a marker", true, { ...MARKED, "x-amz-version-id": "null" }],
  ["leaves a marker without an id", true, MARKED],
  ["names a version", true, { "x-amz-version-id": "v1" }],
  ["leaves nothing", false, {}],
  ["says that it leaves no marker", false, { "x-amz-delete-marker": "false" }],
])("a deletion tells, where no other answer does: it %s", async (_, areKept, headers) => {
  const { requests, versions } = asking(found(""), { statusCode: 204, headers });
  await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS);
  expect(versions.areKept).toBe(false);
  expect(await requests.delete("a", undefined, OPTIONS)).toEqual({ kind: "ok", timing: TIMING });
  expect(versions.areKept).toBe(areKept);
});

it("nothing takes back that versions are kept", async () => {
  const failures: Answered[] = [{ statusCode: 304 }, { statusCode: 412 }, { statusCode: 500 }, absent({})];
  const { requests, versions } = asking(found("", versioned("v1")), ...failures, found("{}"), found(""), {
    statusCode: 204,
  });
  await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS);
  await requests.get("a", '"1"', OPTIONS);
  await requests.put("a", "{}", { IfMatch: '"1"' }, OPTIONS);
  await requests.put("a", "{}", { IfMatch: '"1"' }, OPTIONS);
  await requests.get("a", undefined, OPTIONS);
  await requests.get("a", undefined, OPTIONS);
  await requests.put("a", "{}", { IfMatch: '"1"' }, OPTIONS);
  await requests.delete("a", undefined, OPTIONS);
  expect(versions.areKept).toBe(true);
});

it("a key of which it is known that no marker is there tells nothing", () => {
  const { versions } = asking();
  versions.answered({ kind: "absent", deleteMarker: "none", timing: TIMING });
  versions.answered({ kind: "conflict", timing: TIMING });
  expect(versions.areKept).toBe(false);
  versions.answered({ kind: "absent", deleteMarker: {}, timing: TIMING });
  expect(versions.areKept).toBe(true);
});
