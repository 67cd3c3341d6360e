import { DeleteObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import type { S3Server } from "../../src/testing/index.js";
import { freeRecord, heldRecord } from "../api/fixture.js";
import { BUCKET, cli, recordOf, startCli, startStore } from "./cli.js";
import { cliHere } from "./here.js";

const TIMEOUT = { timeout: 60_000 };

/** Lets another owner get the lock as soon as the CLI has read it. */
function takeAfterLook(server: S3Server, lockName: string, token: number): void {
  const key = `locks/${lockName}.json`;
  const stop = server.onRequest((request) => {
    if (request.operation !== "GetObject" || request.key !== key) return;
    stop();
    const nowMs = Date.now();
    const body = heldRecord({ acquiredAtMs: nowMs, expiresAtMs: nowMs + 60_000 });
    const holders = body.holders.map((holder) => ({ ...holder, id: "later", token }));
    server.putObject(BUCKET, key, JSON.stringify({ ...body, token, holders }));
  });
}

describe.each([
  ["release", '{"lockName":"nightly","released":true}\n'],
  ["delete", '{"lockName":"nightly","deleted":true}\n'],
])("%s --force", TIMEOUT, (command, done) => {
  test.each([[["--yes"]], [["--yes", "--json"]]])("ends no hold that it was not shown: %j", async (flags) => {
    const { environment, mutex, server } = await startStore();
    const lock = await mutex.acquire("nightly");
    const token = lock.fencingToken + 1;
    takeAfterLook(server, "nightly", token);
    const refused = await cliHere([command, "--force", ...flags, "nightly"], environment);
    expect(refused).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr: "s3-mutex: it has changed hands meanwhile: nothing was done.\n",
    });
    expect(recordOf(server, "nightly")?.holders).toMatchObject([{ token }]);
    const again = await cliHere([command, "--force", "--yes", "--json", "nightly"], environment);
    expect(again).toMatchObject({ exitCode: 0, stdout: done });
    expect(recordOf(server, "nightly")?.holders).toEqual([]);
  });
});

describe("release", TIMEOUT, () => {
  test("needs --force, and a user that says yes", async () => {
    const { environment, mutex } = await startStore();
    const lock = await mutex.acquire("nightly");
    const unforced = await cliHere(["release", "nightly", "--yes"], environment);
    expect(unforced).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--force says that this is meant") });
    const unasked = await cliHere(["release", "nightly", "--force"], environment);
    expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--yes says that you are sure") });
    expect((await mutex.inspect("nightly"))?.holders[0]?.fencingToken).toBe(lock.fencingToken);
  });

  test("ends the hold of a process that lives, which is told at its next renewal", async () => {
    const { environment, mutex } = await startStore();
    const running = startCli(["run", "--lease", "1s", "nightly", "--", "sleep", "60"], environment);
    await expect.poll(async () => (await mutex.inspect("nightly"))?.state, { timeout: 60_000 }).toBe("held");
    const { exitCode, stdout } = await cli(["release", "nightly", "--force", "--yes"], environment);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Released. The lock "nightly" was held by \\w+ \\(\\S+:${running.pid}\\) for `));
    expect((await running.ended).exitCode).toBe(79);
    expect((await mutex.inspect("nightly"))?.recentTurns[0]?.ended).toBe("forced");
  });

  test("of a free lock has nothing to do, of none is an error", async () => {
    const { environment, mutex, server } = await startStore();
    await (await mutex.acquire("nightly")).release();
    const free = await cliHere(["release", "--force", "--json", "nightly"], environment);
    expect(free).toMatchObject({ exitCode: 0, stdout: '{"lockName":"nightly","released":false}\n' });
    expect(await cliHere(["release", "--force", "--yes", "typo"], environment)).toMatchObject({
      exitCode: 1,
      stderr: 's3-mutex: there is no lock "typo".\n',
    });
    server.putObject(BUCKET, "locks/broken.json", "?");
    expect((await cliHere(["release", "--force", "--yes", "broken"], environment)).exitCode).toBe(69);
    expect(server.getObject(BUCKET, "locks/broken.json")?.text).toBe("?");
  });
});

test("C9: of several holders, release ends those that are named, or all when that is said", TIMEOUT, async () => {
  const { environment, mutex } = await startStore();
  const pool = mutex.semaphore("pool", { permits: 3 });
  const permits = [await pool.acquire({ label: "one" }), await pool.acquire({ label: "two" }), await pool.acquire()];
  const address = `s3://${BUCKET}/semaphores/locks/pool`;
  const shown = await cliHere(["show", address], environment);
  expect(shown.stdout).toMatch(/HOLDER .* ID\n/);
  const unclear = await cliHere(["release", "--force", "--yes", address], environment);
  expect(unclear).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(
      /3 hold "pool": name one with --holder ID, or end all with --all-holders\. They are /,
    ),
  });
  const id = /([\w-]{8}) \(two /.exec(unclear.stderr)?.[1] ?? "";
  expect(shown.stdout).toContain(id);
  expect(await cliHere(["release", "--force", "--yes", "--holder", id, address], environment)).toMatchObject({
    exitCode: 0,
  });
  expect((await pool.inspect())?.holders.map(({ fencingToken }) => fencingToken)).toEqual(
    [permits[0], permits[2]].map((permit) => permit?.fencingToken),
  );
  const gone = await cliHere(["release", "--force", "--yes", "--holder", id, address], environment);
  expect(gone).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("is not the beginning of any holder's ID"),
  });
  expect(await cliHere(["release", "--force", "--yes", "--all-holders", address], environment)).toMatchObject({
    exitCode: 0,
  });
  expect((await pool.inspect())?.holders).toEqual([]);
});

describe("delete", TIMEOUT, () => {
  test("removes a free lock, and one that is held only by force", async () => {
    const { environment, mutex, server } = await startStore();
    await (await mutex.acquire("free")).release();
    expect(await cli(["delete", "free"], environment)).toMatchObject({
      exitCode: 0,
      stdout: 'Deleted the lock "free".\n',
    });
    expect(await mutex.inspect("free")).toBeNull();
    const token = recordOf(server, "free")?.token ?? 0;
    expect((await mutex.acquire("free")).fencingToken).toBeGreaterThan(token);

    const lock = await mutex.acquire("held");
    const refused = await cliHere(["delete", "held"], environment);
    expect(refused).toMatchObject({ exitCode: 75, stderr: expect.stringMatching(/is held by .* --force deletes it/) });
    expect((await cliHere(["delete", "--force", "held"], environment)).exitCode).toBe(2);
    expect((await mutex.inspect("held"))?.holders[0]?.fencingToken).toBe(lock.fencingToken);
    const forced = await cliHere(["delete", "--force", "--yes", "--json", "held"], environment);
    expect(forced).toMatchObject({ exitCode: 0, stdout: '{"lockName":"held","deleted":true}\n' });
    expect(await mutex.inspect("held")).toBeNull();
  });

  test("clears an object that is not a lock record, by force only", async () => {
    const { environment, mutex, server } = await startStore();
    server.putObject(BUCKET, "locks/broken.json", "?");
    expect((await cliHere(["delete", "broken"], environment)).exitCode).toBe(69);
    expect(server.getObject(BUCKET, "locks/broken.json")?.text).toBe("?");
    expect((await cliHere(["delete", "broken", "--force", "-y"], environment)).exitCode).toBe(0);
    expect(await mutex.acquireLock("broken", 0)).toBe(true);
    expect(await cliHere(["delete", "typo"], environment)).toMatchObject({ exitCode: 1 });
  });
});

describe("cleanup", TIMEOUT, () => {
  async function startLittered() {
    const store = await startStore();
    const put = (name: string, body: object) =>
      store.server.putObject(BUCKET, `locks/${name}.json`, JSON.stringify(body));
    const nowMs = Date.now();
    const ended = (agoMs: number) => heldRecord({ acquiredAtMs: nowMs - agoMs - 60_000, expiresAtMs: nowMs - agoMs });
    put("recent", ended(60_000));
    put("ancient", ended(7_200_000));
    put("jobs/ancient", ended(7_200_000));
    // At rest for as long as the store has it, too.
    store.server.setClockOffset(-7_200_000);
    put("free", freeRecord(nowMs - 7_200_000));
    store.server.setClockOffset(0);
    put("live", heldRecord({ acquiredAtMs: nowMs, expiresAtMs: nowMs + 60_000 }));
    return store;
  }
  const left = (server: Awaited<ReturnType<typeof startLittered>>["server"]) =>
    server.objects(BUCKET).map(({ key, text }) => `${key} ${JSON.parse(text).holders.length}`);

  test("counts without touching anything, then frees what has ended", async () => {
    const { environment, server } = await startLittered();
    const before = left(server);
    const dry = await cli(["cleanup", "--dry-run"], environment);
    expect(dry).toMatchObject({ exitCode: 0, stderr: "" });
    expect(dry.stdout).toBe("5 locks, 3 held by leases that have ended; nothing was done: this is a dry run.\n");
    expect(left(server)).toEqual(before);
    const { stdout } = await cliHere(["cleanup"], environment);
    expect(stdout).toBe("5 locks, 3 held by leases that have ended; 3 freed or removed.\n");
    expect(left(server)).toContain("locks/live.json 1");
    expect(left(server)).toContain("locks/ancient.json 0");
  });

  test("heeds age and prefix, and removes what is free where it is told to", async () => {
    const { environment, server } = await startLittered();
    const jobs = await cliHere(["cleanup", "--json", `s3://${BUCKET}/locks/jobs/`], environment);
    expect(JSON.parse(jobs.stdout)).toEqual({
      total: 1,
      stale: 1,
      cleaned: 1,
      unremovable: 0,
      unreadable: [],
      dryRun: false,
    });
    const old = await cliHere(["cleanup", "--older-than", "1h", "--json"], environment);
    expect(JSON.parse(old.stdout)).toMatchObject({ total: 5, stale: 1, cleaned: 1 });
    expect(left(server)).toContain("locks/recent.json 1");
    const released = await cliHere(["cleanup", "--include-released", "--json"], environment);
    expect(JSON.parse(released.stdout)).toMatchObject({ stale: 1, cleaned: 2 });
    expect(left(server)).not.toContain("locks/free.json 0");
    server.putObject(BUCKET, "locks/broken.json", "?");
    const unreadable = await cliHere(["cleanup"], environment);
    expect(unreadable).toMatchObject({ exitCode: 69, stderr: expect.stringContaining("locks/broken.json: ") });
  });

  test("says why free locks stay where DELETE is denied: they are readable, and nothing has failed", async () => {
    const { environment, server } = await startLittered();
    server.setQuirks({ deny: ["DeleteObject"] });
    const { exitCode, stdout, stderr } = await cliHere(["cleanup", "--include-released"], environment);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("1 free lock stays: s3:DeleteObject is denied, or this store");
  });

  test("says in the words of the command line what clears an object that is not a record, as others do", async () => {
    const { environment, server } = await startStore();
    server.putObject(BUCKET, "locks/broken.json", "?");
    const lines = [["cleanup"], ["show", "broken"], ["release", "--force", "--yes", "broken"], ["delete", "broken"]];
    for (const { stdout, stderr } of await Promise.all(lines.map((line) => cliHere(line, environment)))) {
      expect(stdout + stderr).toContain("Look at it; s3-mutex delete --force clears it");
    }
  });
});

describe("a delete marker in place of a lock", TIMEOUT, () => {
  test.each([
    ["show", "job"],
    ["release", "--force", "--yes", "job"],
    ["delete", "--force", "--yes", "job"],
  ])("is named, with the command that removes it: %s", async (...args) => {
    const { environment, mutex, server } = await startStore({
      quirks: { versioning: "Suspended", versionsLike: "versitygw" },
    });
    await (await mutex.acquire("job")).release();
    const s3Client = new S3Client(server.clientConfig());
    await s3Client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: "locks/job.json" }));
    s3Client.destroy();
    const { exitCode, stderr } = await cliHere(args, environment);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `remove it: aws s3api delete-object --endpoint-url ${server.endpoint} --bucket ${BUCKET} --key locks/job.json --version-id null\n`,
    );
    server.setQuirks({ versioning: "Suspended", versionsLike: "versitygw", deny: ["ListObjectVersions"] });
    const silent = await cliHere(args, environment);
    expect([silent.exitCode, silent.stderr.includes("marker")]).toEqual([1, false]);
  });
});

test(
  "a lock that is held at least so long and was given back is told of as it was, once it is released",
  TIMEOUT,
  async () => {
    const { environment, mutex } = await startStore();
    await (await mutex.acquire("job", { holdAtLeastMs: 60_000 })).release();
    const { stdout } = await cliHere(["release", "--force", "--yes", `s3://${BUCKET}/locks/job`], environment);
    expect(stdout).toMatch(
      /^Released\. The lock "job" was held by .*, which gave it back after .*: it would have stayed held for/,
    );
  },
);

test("C9: a semaphore is called one by release and delete", TIMEOUT, async () => {
  const { environment, mutex } = await startStore();
  const permit = await mutex.semaphore("pool", { permits: 2 }).acquire();
  const address = `s3://${BUCKET}/semaphores/locks/pool`;
  const kept = await cliHere(["delete", address], environment);
  expect(kept.stderr).toMatch(/^s3-mutex: The semaphore "pool" is held by /);
  const released = await cliHere(["release", "--force", "--yes", address], environment);
  expect(released.stdout).toMatch(/^Released\. The semaphore "pool" was held by /);
  expect(await cliHere(["release", "--force", address], environment)).toMatchObject({
    stdout: 'The semaphore "pool" is not held.\n',
  });
  await permit.release();
});
