import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../src/cli/base/duration.js";
import { Values } from "../../src/cli/base/values.js";
import { parseLock, parseLocks, parseStore } from "../../src/cli/store/address.js";
import { clientConfigOf } from "../../src/cli/store/store-options.js";
import { keyOfName } from "../../src/core/names.js";
import { BUCKET, startStore } from "./cli.js";
import { cliHere } from "./here.js";

test.each([
  ["s3://b/locks/nightly", "locks/", "nightly", "locks/nightly.json"],
  ["s3://b/locks/team/nightly", "locks/", "team/nightly", "locks/team/nightly.json"],
  ["s3://b/my.app/nightly", "my.app/", "nightly", "my.app/nightly.json"],
  ["s3://b/locks/a.b c", "locks/", "a.b c", "locks/a.2eb.20c.json"],
])("%s", (text, keyPrefix, lockName, key) => {
  const address = parseLock(text, undefined);
  expect(address).toEqual({ bucketName: "b", keyPrefix, lockName });
  expect(keyOfName(address.keyPrefix, address.lockName)).toEqual({ ok: true, key });
});

test("where the border between prefix and name is makes no difference to the key, or is asked for", () => {
  const keys = ["", "a/", "a/b/"].map((prefix) => {
    const { keyPrefix, lockName } = parseLock("s3://bucket/a/b/c", prefix);
    return keyOfName(keyPrefix, lockName);
  });
  expect(keys).toEqual(new Array(3).fill({ ok: true, key: "a/b/c.json" }));
  expect(() => parseLock("s3://b/a/b.c/d", undefined)).toThrow('say so, as in --prefix "a/b.c/"');
  expect(() => parseLock("s3://b/a//d", undefined)).toThrow('say so, as in --prefix "a//"');
  expect(parseLock("s3://b/a/b.c/d", "a/b.c/")).toEqual({ bucketName: "b", keyPrefix: "a/b.c/", lockName: "d" });
});

test.each([
  ["s3://b/nightly", "s3://b/nightly has no prefix: write s3://b/locks/nightly for the library's default"],
  ["s3://b", "names no lock: write s3://b/locks/NAME"],
  ["s3://b/locks/", "names no lock: write s3://b/locks/NAME"],
  ["s3://b/locks/nightly.json", "ends in .json, which keys have and names do not"],
  ["s3:///locks/nightly", "is not an address"],
  ["http://b/locks/nightly", "is not an address: write s3://BUCKET/locks/NAME"],
  ["s3://b//locks/x", "begins with an empty folder"],
  ["s3://b/./locks/x", 'has "." or ".." in it'],
  ["s3://b/locks/../x", 'has "." or ".." in it'],
  ["s3://b/locks/..", 'has "." or ".." in it'],
  ["s3://b/locks/x ", "has a space at an end"],
  ["s3://b/locks/x\n", "has a line break in it"],
])("%s is refused rather than guessed at", (text, message) => {
  expect(() => parseLock(text, undefined)).toThrow(message);
});

test("a store is a bucket and a folder; a bucket alone has the library's default", () => {
  expect(parseStore("s3://b", undefined)).toEqual({ bucketName: "b", keyPrefix: "locks/" });
  expect(parseStore("s3://b/team/locks/", undefined)).toEqual({ bucketName: "b", keyPrefix: "team/locks/" });
  expect(parseStore("s3://b/team/locks", "x-")).toEqual({ bucketName: "b", keyPrefix: "x-" });
});

test("C9: a semaphore has the name that it has in the library, behind the prefix of locks", () => {
  const pool = { bucketName: "b", keyPrefix: "semaphores/locks/", lockName: "team/pool" };
  expect(parseLock("s3://b/semaphores/locks/team/pool", undefined)).toEqual(pool);
  const all = { bucketName: "b", keyPrefix: "semaphores/locks/", namePrefix: "" };
  expect(parseLocks("s3://b/semaphores/locks/", undefined)).toEqual(all);
});

test.each(["s3://b//locks/", "s3://b/./locks/", "s3://b/../", "s3://b/ "])("%s is not a store", (text) => {
  expect(() => parseStore(text, undefined)).toThrow("say with --prefix");
  expect(() => parseLocks(text, undefined)).toThrow("say with --prefix");
});

test("what an address leaves open, a prefix says", () => {
  expect(parseLock("s3://b//locks/x", "/locks/")).toEqual({ bucketName: "b", keyPrefix: "/locks/", lockName: "x" });
  expect(parseLock("s3://b/locks/x ", "locks/").lockName).toBe("x ");
});

test.each(["s3:/my-bucket/locks/x", "arn:aws:s3:::my-bucket/locks/x", "S3:x", " x", "x\n", "x "])(
  "C2: %j is not a name, where a store is set",
  async (name) => {
    const { environment, server } = await startStore();
    const { exitCode, stderr } = await cliHere(["run", name, "--", "true"], environment);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/is not an address|space at an end|has a line break in it/),
    });
    expect(server.requests.total).toBe(0);
  },
);

test("durations", () => {
  const read = ["500ms", "30s", "1.5m", "1h", "2d", "30", "0", ".5"].map(parseDuration);
  expect(read).toEqual([500, 30_000, 90_000, 3_600_000, 172_800_000, 30_000, 0, 500]);
  expect(["", "s", "-1s", "1e3", "1 m", "1w", "Infinity"].map(parseDuration)).toEqual(new Array(7).fill(undefined));
  for (const ms of [0, 5, 999, 1500, 80_000, 85_000, 90_000, 100_001, 5_400_000, 7_300_000, 86_400_000]) {
    expect(parseDuration(formatDuration(ms))).toBe(ms);
  }
  expect([80_000, 85_000, 90_000, 7_300_000].map(formatDuration)).toEqual(["80s", "85s", "1.5m", "7300s"]);
});

test("every way to write it is the lock of the library with that name", async () => {
  const { mutex, environment } = await startStore();
  expect(await mutex.acquireLock("nightly")).toBe(true);
  const ways: readonly (readonly string[])[] = [
    [`s3://${BUCKET}/locks/nightly`],
    ["nightly"],
    ["--store", `s3://${BUCKET}`, "nightly"],
    ["--prefix", "locks/", "nightly"],
    ["--key-prefix", "locks/", "nightly"],
    ["--prefix", "", `s3://${BUCKET}/locks/nightly`],
  ];
  const ended = await Promise.all(ways.map((way) => cliHere(["run", "--no-wait", ...way, "--", "true"], environment)));
  expect(ended.map(({ exitCode }) => exitCode)).toEqual(ways.map(() => 75));
});

test("without any store there is one sentence on how to get one", async () => {
  const { exitCode, stderr } = await cliHere(["run", "nightly", "--", "true"]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(
    /^s3-mutex: Which store\? .*`s3-mutex serve` starts one to try it with\. See `s3-mutex help run`\.\n$/,
  );
});

test("S13: an access point has policies of its own, and an address that is never in the path", async () => {
  const arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/team";
  const { exitCode, stdout } = await cliHere(["policy", "--json", `s3://${arn}/locks/`]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`"${arn}/object/locks/*"`);
  const input = { values: new Values({ "endpoint-url": "http://localhost:9000" }), environment: {}, positionals: [] };
  expect(clientConfigOf(input as never, arn)).not.toHaveProperty("forcePathStyle");
  expect(clientConfigOf(input as never, "bucket")).toMatchObject({ forcePathStyle: true });
});

test("S12: the headers that a bucket wants are options, and refused where they cannot be right", async () => {
  const { server, environment } = await startStore();
  const headers = ["--expected-bucket-owner", "123456789012", "--request-payer", "requester", "--sse", "AES256"];
  const more = ["--acl", "bucket-owner-full-control", "--storage-class", "STANDARD"];
  const run = await cliHere(["run", ...headers, ...more, `s3://${BUCKET}/locks/x`, "--", "true"], environment);
  expect(run).toMatchObject({ exitCode: 0 });
  expect(server.objects(BUCKET).map(({ key }) => key)).toEqual(["locks/.s3-mutex/checked.json", "locks/x.json"]);
  const wrong = await cliHere(["ls", "--expected-bucket-owner", "me", `s3://${BUCKET}/locks/`], environment);
  expect(wrong).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/--expected-bucket-owner is "me".*12 digits/),
  });
  const payer = await cliHere(["ls", "--request-payer", "me", `s3://${BUCKET}/locks/`], environment);
  expect(payer).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--request-payer") });
});
