import { expect, it } from "vitest";
import { Clockwork } from "../../../test/protocol/clockwork.js";
import { type Answered, clientAnswering } from "../../../test/store/handler.js";
import { BodyHashes } from "./body-hash.js";
import { stateOf } from "./client-state.js";
import { PutChecksums } from "./put-checksum.js";
import { S3Requests } from "./requests.js";
import { Sender } from "./sender.js";
import { NO_HEADERS } from "./store-headers.js";
import { Versions } from "./versions.js";

const OPTIONS = { timeoutMs: 5_000 };
const TIMING = { sentAtMs: 10_000, receivedAtMs: 10_000 };

/** Requests to a store that answers these, one after the other, and what is learnt of its versions. */
function asking(...answers: readonly Answered[]) {
  const { client } = clientAnswering((_, count) => answers[count - 1] ?? { statusCode: 500 });
  const state = stateOf(client, 40);
  const { bodyHash, checksum, versions } = state.bucket("locks");
  const sender = new Sender(client, state, new Clockwork().effects);
  const requests = new S3Requests({
    client,
    bucket: "locks",
    maxBodyBytes: 100,
    hashes: new BodyHashes(bodyHash),
    checksums: new PutChecksums(checksum),
    versions: new Versions(versions),
    fields: NO_HEADERS,
    send: (operation, options) => sender.send(operation, options),
  });
  return { requests, versions };
}

const found = (body: string, headers: Record<string, string> = { etag: '"1"' }): Answered => {
  return { statusCode: 200, headers, body: Buffer.from(body) };
};
const versioned = (id: string) => ({ etag: '"1"', "x-amz-version-id": id });
const absent = (headers: Record<string, string>, code = "<Code>NoSuchKey</Code>"): Answered => {
  return { statusCode: 404, headers, body: Buffer.from(code === "" ? "" : `<Error>${code}</Error>`) };
};

it.each([
  ["enabled", versioned("v1"), { versionId: "v1" }],
  ["suspended", versioned("null"), { versionId: "null" }],
  ["none", { etag: '"1"' }, {}],
  ["none", versioned(""), {}],
] as const)("each answer about an object tells: %s", async (versioning, headers, shown) => {
  const { requests, versions } = asking(found("{}", headers), found("", headers));
  const read = await requests.get("a", undefined, OPTIONS);
  expect(read).toMatchObject({ kind: "ok", body: "{}", ...shown });
  expect("versionId" in read).toBe("versionId" in shown);
  expect(versions.versioning).toBe(versioning);
  expect(await requests.put("a", "{}", { IfNoneMatch: "*" }, OPTIONS)).toEqual({
    kind: "ok",
    etag: '"1"',
    ...shown,
    timing: TIMING,
  });
  expect(versions.versioning).toBe(versioning);
});

it("a delete marker tells, in whatever words the store says that there is no object", async () => {
  const marker = { "x-amz-delete-marker": "true", "x-amz-version-id": "m1" };
  for (const answer of [absent(marker), absent(marker, ""), absent(marker, "<Code>NoSuchVersion</Code>")]) {
    const { requests, versions } = asking(answer);
    const outcome = await requests.get("a", undefined, OPTIONS);
    expect(outcome).toEqual({ kind: "absent", versionId: "m1", timing: TIMING });
    expect(versions.versioning).toBe("enabled");
  }
});

it.each([
  ["an object that was never there", absent({})],
  ["a version that is no marker", absent({ "x-amz-delete-marker": "false", "x-amz-version-id": "v1" })],
])("%s tells nothing", async (_, answer) => {
  const { requests, versions } = asking(answer);
  expect(await requests.get("a", undefined, OPTIONS)).toEqual({ kind: "absent", timing: TIMING });
  expect(versions.versioning).toBeUndefined();
});

it("304, 412 and what is no answer take nothing back", async () => {
  const answers: Answered[] = [{ statusCode: 304 }, { statusCode: 412 }, { statusCode: 500 }];
  const { requests, versions } = asking(found("{}", versioned("v1")), ...answers);
  await requests.get("a", undefined, OPTIONS);
  await requests.get("a", '"1"', OPTIONS);
  await requests.put("a", "{}", { IfMatch: '"1"' }, OPTIONS);
  await requests.put("a", "{}", { IfMatch: '"1"' }, OPTIONS);
  expect(versions.versioning).toBe("enabled");
});

it("an object from before takes nothing back, a write does", async () => {
  const { requests, versions } = asking(
    found("", versioned("v1")),
    found("{}"),
    found("{}", versioned("null")),
    found("", versioned("null")),
    found("{}"),
    found(""),
    found("{}", versioned("null")),
    found("{}", versioned("v2")),
  );
  const states: unknown[] = [];
  const read = async () => {
    await requests.get("a", undefined, OPTIONS);
    states.push(versions.versioning);
  };
  const write = async () => {
    await requests.put("a", "{}", { IfMatch: '"1"' }, OPTIONS);
    states.push(versions.versioning);
  };
  for (const request of [write, read, read, write, read, write, read, read]) await request();
  expect(states).toEqual(["enabled", "enabled", "enabled", "suspended", "suspended", "none", "suspended", "enabled"]);
});
