import { expect, test } from "vitest";
import { reportFailure } from "../../src/cli/failure.js";
import { S3MutexError } from "../../src/index.js";
import { cli, startStore } from "./cli.js";
import { startOutput } from "./terminal.js";

const TIMEOUT = { timeout: 30_000 };

test("C5: once --forget neither creates a bucket nor advises to", TIMEOUT, async () => {
  const { environment } = await startStore();
  const missing = await cli(["once", "--forget", "s3://not-there/locks/k"], environment);
  expect(missing.exitCode).toBe(69);
  expect(missing.stderr).toMatch(/Create the bucket not-there \(no-such-bucket\)\.$/m);
  const both = await cli(["once", "--forget", "--create-bucket", "s3://not-there/locks/k"], environment);
  expect(both).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--forget creates nothing") });
});

/** Gives what a command says about an error, when it was called with these arguments. */
function said(error: S3MutexError, given: readonly string[]): string {
  const { output, said } = startOutput({ columns: 400, rows: 24 });
  const options = { "create-bucket": { type: "boolean", help: "" } } as const;
  reportFailure(error, output, { commandName: "run", options, given, isDebugging: false });
  return said.stderr;
}

test("C5: no advice names an option that the call has", () => {
  const missing = new S3MutexError("no-such-bucket", "No bucket: create it, or set createBucketIfNotExists: true.");
  expect(said(missing, [])).toContain("or use --create-bucket");
  expect(said(missing, ["--create-bucket"])).not.toContain("--create-bucket");
  expect(said(missing, ["--forget"])).not.toContain("--create-bucket");
  const stranger = new S3MutexError("store-unavailable", "s3:GetObject: SELF_SIGNED_CERT_IN_CHAIN: self-signed.");
  expect(said(stranger, [])).toContain("Say with --ca-bundle which certificates");
  for (const given of [["--ca-bundle", "x.pem"], ["--ca-bundle=x.pem"]]) {
    expect(said(stranger, given)).toContain("The file of --ca-bundle does not have the certificates");
  }
});

test.each([
  ["show", ["x"]],
  ["ls", []],
  ["release", ["--force", "--yes", "x"]],
] as const)("%s says once that the store is away", TIMEOUT, async (command, args) => {
  const environment = { AWS_ACCESS_KEY_ID: "t", AWS_SECRET_ACCESS_KEY: "t", S3_MUTEX_STORE: "s3://b/locks/" };
  const { stderr, exitCode } = await cli([command, "--endpoint-url", "http://127.0.0.1:9", ...args], environment);
  expect(exitCode).toBe(69);
  expect(stderr.match(/(?:did|does) not answer/g)).toHaveLength(1);
});
