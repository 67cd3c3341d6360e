import { expect, test, vi } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { BUCKET, startStore } from "./cli.js";
import { cliHere } from "./here.js";

/** Each process of the CLI takes a second to start, and more on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

/** What the library's `keyPrefix: "prod-"` is asked for by. */
const MEANT: readonly (readonly string[])[] = [
  ["--store", `s3://${BUCKET}`, "--key-prefix", "prod-", "nightly"],
  ["--key-prefix", "prod-", "nightly"],
  ["--key-prefix", "prod-", `s3://${BUCKET}/prod-nightly`],
];

/** What may be meant as that, or as a folder. */
const UNCLEAR: readonly (readonly string[])[] = [
  ["run", "--no-wait", "--store", `s3://${BUCKET}/prod-`, "nightly", "--", "true"],
  ["run", "--no-wait", "--prefix", "prod-", "nightly", "--", "true"],
  ["elect", "--prefix", "prod-", "nightly", "--", "true"],
  ["ls", `s3://${BUCKET}/prod-`],
  ["ls", "--prefix", "prod-"],
  ["watch", "--store", `s3://${BUCKET}/prod-`],
  ["show", "--prefix", "prod-", "nightly"],
  ["release", "--force", "--yes", "--prefix", "prod-", "nightly"],
  ["cleanup", `s3://${BUCKET}/prod-`],
  ["policy", `s3://${BUCKET}/prod-`],
];

test("C1: a prefix that is not a folder is the library's, exactly", async () => {
  const { server, environment } = await startStore();
  const options = { s3ClientConfig: server.clientConfig(), bucketName: BUCKET, keyPrefix: "prod-" };
  await using mutex = new S3Mutex(options);
  await using _lock = await mutex.acquire("nightly");
  for (const args of MEANT) {
    expect(await cliHere(["run", "--no-wait", ...args, "--", "true"], environment)).toMatchObject({ exitCode: 75 });
  }
  const { stdout } = await cliHere(["ls", "--json", "--key-prefix", "prod-"], environment);
  expect(JSON.parse(stdout)).toMatchObject({ lockName: "nightly", key: "prod-nightly.json", state: "held" });
});

test.each(UNCLEAR.map((args) => [args.join(" "), args] as const))(
  "C1: %s could mean two things, and names both",
  async (_line, args) => {
    const { server, environment } = await startStore();
    const { exitCode, stderr } = await cliHere(args, environment);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/could mean the keys prod-NAME\.json or prod-\/NAME\.json: write /);
    expect(stderr).toMatch(/prod-\/ for the folder, or .*--key-prefix prod- for keys that begin with "prod-"/);
    expect(server.requests.total).toBe(0);
  },
);

test("C1: what is advised is there: policy takes an exact prefix as well", async () => {
  const args = ["policy", "--json", "--only", "iam", "--key-prefix", "prod-", `s3://${BUCKET}`];
  const { exitCode, stdout } = await cliHere(args);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).Statement[0].Resource).toEqual(
    ["", "once/", "semaphores/"].map((folder) => `arn:aws:s3:::${BUCKET}/${folder}prod-*`),
  );
});

test("C1: S3_MUTEX_STORE as well, and both options at once are one too many", async () => {
  const unclear = await cliHere(["ls"], { S3_MUTEX_STORE: `s3://${BUCKET}/locks` });
  expect(unclear).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`write s3://${BUCKET}/locks/ for`) });
  const both = await cliHere(["ls", "--prefix", "a/", "--key-prefix", "a"], { S3_MUTEX_STORE: `s3://${BUCKET}` });
  expect(both).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("use one of them") });
});
