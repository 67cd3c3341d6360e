import { expect, test } from "vitest";
import type { Input } from "../../src/cli/base/command.js";
import { reportFailure } from "../../src/cli/failure.js";
import { parseLocks, parseStore } from "../../src/cli/store/address.js";
import { clientConfigOf, lockOf, locksOf, onlyLockOf, storeAt } from "../../src/cli/store/store-options.js";
import { S3MutexError } from "../../src/errors.js";
import { cliHere } from "./here.js";
import { inputOf, startOutput } from "./terminal.js";

const STORE = { S3_MUTEX_STORE: "s3://b/locks/" };

test.each<[string, (input: Input) => unknown, string[], RegExp]>([
  ["an empty name", (input) => lockOf(input, ""), [], /name of the lock is empty/],
  ["two locks where there is one", onlyLockOf, ["a", "b"], /One lock at a time: b is one too many/],
  ["no lock", onlyLockOf, [], /Which lock\? Write s3:/],
  ["two stores", storeAt, ["s3://b/x/", "s3://c/"], /One store at a time: s3:\/\/c\/ is one too many/],
  ["what is not a store", storeAt, ["b"], /b is not a store: write s3:/],
  ["two beginnings of names", locksOf, ["a", "b"], /b is one too many/],
  ["a store in a store", storeAt, ["s3://s3://locks/prod/"], /cannot be used: that is more than a name/],
  ["a URL in a store", storeAt, ["s3://http://localhost:9000/b/"], /that is a URL; .* the URL with --endpoint-url/],
  ["a variable that nothing replaced", storeAt, ["s3://$BUCKET/locks/"], /no bucket has "\$" in its name/],
  ["a bucket with a space", storeAt, ["s3://my bucket/locks/"], /no bucket has a space or a line break in its name/],
  ["an empty store", locksOf, ["--store", ""], /--store is empty/],
  ["what is not an endpoint", clientConfigOf, ["--endpoint-url", "localhost"], /is not a URL: write http:/],
  ["another way of addressing", clientConfigOf, ["--addressing", "none"], /use path or virtual/],
])("%s is a usage error that says what to write", (_what, read, args, message) => {
  expect(() => read(inputOf(args, STORE))).toThrow(message);
});

test.each([
  [["--regoin", "x"], /no option --regoin; did you mean --region\?/],
  [["--nothing-like-it"], /no option --nothing-like-it\.$/],
  [["--endpoint", "x"], /no option --endpoint; did you mean --endpoint-url\?/],
  [["-n"], /no option -n\.$/],
  [["--json=yes"], /--json takes no value/],
  [["--region"], /--region needs a value; one that starts with a dash is written --region=REGION/],
])("%j is explained", (args, message) => {
  expect(() => inputOf(args)).toThrow(message);
});

test("an endpoint of the environment counts, unless the environment says that it does not", () => {
  const environment = { ...STORE, AWS_ENDPOINT_URL: "http://localhost:9000", AWS_ENDPOINT_URL_S3: "" };
  expect(clientConfigOf(inputOf([], environment))).toEqual({
    endpoint: "http://localhost:9000",
    region: "us-east-1",
    forcePathStyle: true,
  });
  expect(clientConfigOf(inputOf([], { ...environment, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "TRUE" }))).toEqual({});
  expect(clientConfigOf(inputOf(["--addressing", "virtual"], environment))).not.toHaveProperty("forcePathStyle");
});

test.each([
  ["0", false],
  ["", false],
  ["1", true],
])("S3_MUTEX_DEBUG=%j", (value, isDebugging) => {
  expect(inputOf([], { S3_MUTEX_DEBUG: value }).isDebugging).toBe(isDebugging);
});

test("an unexpected error is one sentence, and all of it when debugging", () => {
  const error = new Error("cannot read it.", { cause: new Error("the disk is gone") });
  const short = startOutput();
  expect(reportFailure(error, short.output, { commandName: "ls", isDebugging: false })).toBe(70);
  expect(short.said.stderr).toBe("s3-mutex: unexpected error: cannot read it. --debug shows where.\n");
  const long = startOutput();
  reportFailure(error, long.output, { commandName: "ls", isDebugging: true });
  expect(long.said.stderr).toMatch(/unexpected error: cannot read it\.\n.*\n +at /);
  expect(long.said.stderr).toContain("caused by Error: the disk is gone\n");
  const odd = startOutput();
  reportFailure("thrown text", odd.output, { commandName: undefined, isDebugging: true });
  expect(odd.said.stderr).toBe("s3-mutex: unexpected error: thrown text.\n");
});

/** What the command line says of a store that was not heard, by what the library has said. */
test.each([
  ["ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1", "Check --endpoint-url and the network, then try again."],
  ["ENOTFOUND: getaddrinfo ENOTFOUND no.such.host", "Check --endpoint-url and the network, then try again."],
  ["Nothing came, or nothing has left yet", "Check --endpoint-url and the network, then try again."],
  ["OutOfTime: no answer within 5000 ms", "Check --endpoint-url and the network, then try again."],
  [
    "EPROTO: write EPROTO wrong version number",
    "Check whether --endpoint-url begins with http:// or https:// as it should.",
  ],
  ["SELF_SIGNED_CERT_IN_CHAIN: self-signed", "Say with --ca-bundle which certificates to know the store by."],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE: unable", "Say with --ca-bundle which certificates to know the store by."],
  ["CERT_HAS_EXPIRED: expired", "Have the store's certificate renewed, or the clock of this machine set right."],
  ["ERR_TLS_CERT_ALTNAME_INVALID: x", "The certificate is another host's: check --endpoint-url and --addressing."],
  ["503 SlowDown: Please reduce your request rate", "Try again later."],
  ["403 RequestTimeTooSkewed. The clock of this machine is off, or the store's own: set it right", ""],
  ['404 with text/plain, "404 page not found". This is not an answer of S3: a proxy sent it', ""],
])("C5: the remedy fits what was seen: %s", (seen, remedy) => {
  const { output, said } = startOutput();
  const error = new S3MutexError("store-unavailable", `s3:GetObject on s3://b/locks/x.json: ${seen}`);
  expect(reportFailure(error, output, { commandName: "ls", options: {}, isDebugging: false })).toBe(69);
  expect(said.stderr.slice(said.stderr.indexOf("(store-unavailable).") + "(store-unavailable).".length).trim()).toBe(
    remedy,
  );
});

test.each(["s3:/b/locks/", "b", "http://b/locks/", "s3:///"])("a store has the form of a store: %s", (text) => {
  expect(() => parseStore(text, undefined)).toThrow(/ is not an address: write s3:\/\/BUCKET\/locks\/\.$/);
  expect(() => parseLocks(text, undefined)).toThrow(/ is not an address: write s3:\/\/BUCKET\/locks\/\.$/);
});

test("S14: a profile of the environment that there is not is named where nothing else says the region", async () => {
  const { exitCode, stderr } = await cliHere(["ls", "s3://bkt/locks/"], { AWS_PROFILE: "nope" });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^s3-mutex: AWS_PROFILE "nope": there is no such profile in /);
});

test.each([
  [["run", "--label", "x".repeat(201), "job", "--", "true"], "--label has 201 characters: use at most 200."],
  [["serve", "--port", "0", "--bucket", "My_Bucket"], '--bucket "My_Bucket" is not the name of a bucket: S3 allows'],
])("%j is refused by the name of its option", async (args, sentence) => {
  const { exitCode, stderr } = await cliHere(args, STORE);
  expect(stderr).toContain(`s3-mutex: ${sentence}`);
  expect(exitCode).toBe(2);
});
