import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { inOwnWords } from "../../src/cli/base/own-words.js";
import { COMMANDS } from "../../src/cli/commands.js";
import { showReport } from "../../src/cli/doctor/show.js";
import { reportFailure } from "../../src/cli/failure.js";
import { createLog } from "../../src/cli/process/log.js";
import { LastFailure } from "../../src/cli/run/last-failure.js";
import { S3MutexError } from "../../src/errors.js";
import { S3Mutex } from "../../src/index.js";
import { BUCKET, cli, MAIN, newFolder, STORE, startProgram, startStore } from "./cli.js";
import { cliHere } from "./here.js";
import { startOutput } from "./terminal.js";

/** Each process of the CLI takes a second to start, and more on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

/** Tests what the command line says when something is wrong: its own words, and only what can be done here. */

test("C5: --create-bucket is advised by commands that have it, and by no others", async () => {
  const sentence = "Create the bucket b, or set `createBucketIfNotExists: true`.";
  const error = new S3MutexError("no-such-bucket", `s3:GetObject was refused (404 NoSuchBucket). ${sentence}`);
  for (const { name, load } of COMMANDS) {
    const { options } = await load();
    const { output, said } = startOutput();
    expect(reportFailure(error, output, { commandName: name, options, isDebugging: false })).toBe(69);
    const advice = "create-bucket" in options ? "Create the bucket b, or use --create-bucket" : "Create the bucket b";
    expect(said.stderr).toBe(`s3-mutex: s3:GetObject was refused (404 NoSuchBucket). ${advice} (no-such-bucket).\n`);
  }
});

test.each([
  ["Set `region` of the S3 client to the bucket's region", "Set --region to the bucket's region"],
  ['Set `region` of the S3 client to "eu-west-1"', 'Set --region to "eu-west-1"'],
  [
    "or want its requesters to pay: set `storeHeaders`",
    "or want its requesters to pay: see --expected-bucket-owner and --request-payer",
  ],
  ["check `sessionToken` and that it belongs", "check AWS_SESSION_TOKEN and that it belongs"],
  ['set `requestChecksumCalculation: "WHEN_REQUIRED"`', 'set AWS_REQUEST_CHECKSUM_CALCULATION to "WHEN_REQUIRED"'],
])("C5: %s is said in the words of the command line", (library, own) => {
  const { output, said } = startOutput();
  const about = { commandName: "ls", options: {}, isDebugging: false };
  reportFailure(new S3MutexError("access-denied", `It was refused. ${library}.`), output, about);
  expect(said.stderr).toBe(`s3-mutex: It was refused. ${own} (access-denied).\n`);
});

test("S17: a refusal is the last answer before its request is over, as while other credentials are waited for", async () => {
  const { server } = await startStore();
  const failure = new LastFailure();
  onTestFinished(() => failure.stop());
  let asked = 0;
  let give = (_: object) => {};
  const others = new Promise((resolve) => {
    give = resolve;
  });
  const keys = { accessKeyId: "key", secretAccessKey: "secret" };
  const credentials = () => (asked++ === 0 ? Promise.resolve(keys) : (others as Promise<typeof keys>));
  const s3ClientConfig = { ...server.clientConfig(), credentials };
  await using mutex = new S3Mutex({ s3ClientConfig, bucketName: BUCKET, verify: "never" });
  const lock = await mutex.acquire("job");
  server.faults.add({ fault: "status", status: 400, code: "ExpiredToken", times: 1 });
  const renewing = lock.renew();
  const said =
    /^ The last answer: s3:PutObject on .* was refused \(400 ExpiredToken.*the credentials provider had not answered yet\.$/;
  await expect.poll(() => failure.sentence).toMatch(said);
  const hasBeenSent = server.requests.total;
  give({ ...keys, accessKeyId: "another" });
  expect(await renewing).toBe(true);
  expect([failure.sentence, server.requests.total]).toEqual(["", hasBeenSent + 1]);
});

test("C5: what was seen is said in the words of the command line by doctor, too", () => {
  const { output, said } = startOutput();
  const detail = "a read was refused. If it is allowed, the bucket may be another account's: set `storeHeaders`.";
  const check = { id: "list-pages", title: "Listings in pages", verdict: "skipped", detail } as const;
  const place = { bucketName: "b", keyPrefix: "locks/", requests: 1, elapsedMs: 1 };
  showReport({ verdict: "pass", checks: [check, { ...check, verdict: "warn", remedy: "Nothing." }], ...place }, output);
  expect(said.stdout.match(/another account's: see --/g)).toHaveLength(3);
  expect(said.stdout).not.toContain("storeHeaders");
});

test.each([
  ["AccessDenied", /^s3-mutex: Whether .* may not be written .* Allow s3:GetObject and s3:PutObject on it \(/],
  ["KMS.DisabledException", /^s3-mutex: Whether .* could not be checked: .*The KMS key of the bucket cannot be used/],
  ["ExpiredToken", /^s3-mutex: Whether .* could not be checked: .*The credentials have expired/],
])(
  "S4: where %s keeps the store from being checked, that is said once, with its own remedy",
  async (code, sentence) => {
    const { server, environment } = await startStore();
    const key = "locks/.s3-mutex/checked.json";
    const status = code === "AccessDenied" ? 403 : 400;
    server.faults.add({ fault: "status", status, code, operation: "PutObject", key });
    const { exitCode, stderr } = await cli(["run", "-n", `${STORE}job`, "--", "true"], environment);
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(sentence);
    expect(stderr.match(/could not be checked/g)).toHaveLength(1);
    expect(stderr).not.toMatch(code === "AccessDenied" ? /verify/ : /verify|Allow s3:/);
  },
);

test("S4: a word about checksums that is not one of the two is refused by its name and place", async () => {
  const { environment } = await startStore();
  const file = join(newFolder(), "config");
  writeFileSync(file, "[default]\nrequest_checksum_calculation = SOMETIMES\n");
  const said = { ...environment, AWS_CONFIG_FILE: file };
  const { exitCode, stderr } = await cli(["run", "-n", `${STORE}job`, "--", "true"], said);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`request_checksum_calculation of the profile "default" in ${file} is "SOMETIMES"`);
  expect(stderr).toContain("Write WHEN_REQUIRED or WHEN_SUPPORTED there, or remove it");
});

test("C5: what the library logs is said in the words of the command line as well", () => {
  const { output, said } = startOutput();
  createLog(false, output).logger.warn?.(
    "s3-mutex: renewing failed. Set `region` of the S3 client to the bucket's region.",
  );
  expect(said.stderr).toBe("s3-mutex: renewing failed. Set --region to the bucket's region.\n");
});

test.each([
  [
    "no option is followed by the next sentence without a stop",
    ["ls", "-z"],
    "There is no option -z. See `s3-mutex help ls`.",
  ],
  [
    "an option that took the address for its duration",
    ["run", "-w", "s3://bkt/locks/x", "--", "true"],
    '--wait "s3://bkt/locks/x" is not a duration',
  ],
  ["flock's name", ["run", "--timeout", "3", "x", "--", "true"], "There is no option --timeout; did you mean --wait?"],
  ["the beginning of a name", ["ls", "--endpoint", "x"], "There is no option --endpoint; did you mean --endpoint-url?"],
  [
    "a lease beyond belief",
    ["run", "--lease", "400d", "x", "--", "true"],
    "--lease 400d is too long: use at most 365d.",
  ],
  ["a tolerance beyond belief", ["run", "--tolerance", "9999d", "x", "--", "true"], "--tolerance 9999d is too long"],
  [
    "an endpoint without a scheme",
    ["ls", "--endpoint-url", "localhost:9000"],
    '--endpoint-url "localhost:9000" is not a URL',
  ],
  ["a gateway without a scheme", ["doctor", "--gateway", "localhost:9000"], '--gateway "localhost:9000" is not a URL'],
])("C5: %s", async (_what, args, sentence) => {
  const { exitCode, stderr } = await cliHere(args, { S3_MUTEX_STORE: STORE });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(sentence);
});

test.each(["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])("C5: %s without a scheme is named", async (name) => {
  const { exitCode, stderr } = await cliHere(["ls"], { S3_MUTEX_STORE: STORE, [name]: "localhost:9000" });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`${name} "localhost:9000" is not a URL: write http://localhost:9000 or https://`);
});

test.each([
  ["S3_MUTEX_STORE", "s3:/my-bucket/locks/", ["show", "job"]],
  ["S3_MUTEX_STORE", "my-bucket", ["ls"]],
  ["S3_MUTEX_STORE", "http://store:9000/my-bucket", ["doctor"]],
  ["--store", "s3:///locks/", ["run", "--store", "s3:///locks/", "job", "--", "true"]],
])("D: %s with %s names itself, and the form that is right there", async (source, text, args) => {
  const { exitCode, stderr } = await cliHere(args, { S3_MUTEX_STORE: text });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`s3-mutex: ${source}: ${text} is not an address: write s3://BUCKET/locks/. See`);
});

test.each([["echo hi; exit 4"], ["ulimit", "-n"]])("C5: %s is for a shell", async (...line) => {
  const { environment } = await startStore();
  const { exitCode, stderr } = await cli(["run", "a", "--", ...line], environment);
  expect(exitCode).toBe(127);
  expect(stderr).toContain("there is no such command; what is meant for a shell is written sh -c '...'");
});

test("C5: without the AWS SDK it says what to install, and is not a bug", async () => {
  // The built files in a place where nothing is installed beside them.
  const folder = newFolder();
  const dist = fileURLToPath(new URL("..", new URL(`file://${MAIN}`)));
  mkdirSync(join(folder, "s3-mutex"));
  cpSync(dist, join(folder, "s3-mutex/dist"), { recursive: true });
  cpSync(join(dist, "../package.json"), join(folder, "s3-mutex/package.json"));
  const main = join(folder, "s3-mutex/dist/cli/main.js");
  const { exitCode, stderr } = await startProgram(process.execPath, [main, "ls", STORE]).ended;
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^s3-mutex: @aws-sdk\/client-s3 is not installed: npm install @aws-sdk\/client-s3/);
});

test("C5: a machine or a store whose clock is off is told so, and not to look at the endpoint", async () => {
  const { environment, server } = await startStore();
  server.faults.add({ fault: "status", status: 403, code: "RequestTimeTooSkewed" });
  for (const args of [["run", "--wait", "2s", "job", "--", "true"], ["bench"], ["doctor"]]) {
    const { exitCode, stderr } = await cliHere(args, environment);
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(/The clock of this machine is off, or the store's own: set it right/);
    expect(stderr).not.toContain("endpoint-url");
  }
});

/** What the AWS CLI's files say of a profile, and what is to be done. */
test.each([
  [
    "a login of SSO that is missing",
    "[profile dev]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = x\nregion = eu-west-1\n[sso-session corp]\nsso_start_url = https://x\nsso_region = eu-west-1\n",
    "Log in again (`aws sso login --profile dev`), or start the command with another --profile",
  ],
  [
    "a login of SSO in the old way",
    "[profile dev]\nsso_start_url = https://x\nsso_account_id = 1\nsso_role_name = x\nsso_region = eu-west-1\n",
    "Log in again (`aws sso login --profile dev`), or start the command with another --profile",
  ],
  [
    "a role that wants a code",
    "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = keys\nmfa_serial = arn:aws:iam::1:mfa/me\n[profile keys]\naws_access_key_id = a\naws_secret_access_key = b\n",
    "The profile wants a code for MFA, which is not asked for here",
  ],
  [
    "a token in a file that is not there",
    "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/x\nweb_identity_token_file = /no/such/file\n",
    "A file of the credentials cannot be read",
  ],
])("C5: %s", async (_what, config, remedy) => {
  const { environment } = await startStore();
  const folder = newFolder();
  writeFileSync(join(folder, "config"), config);
  const { exitCode, stderr } = await cliHere(["show", "--profile", "dev", "job"], {
    ...environment,
    HOME: folder,
    AWS_CONFIG_FILE: join(folder, "config"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
  });
  expect(exitCode).toBe(69);
  expect(stderr).toContain(remedy);
  expect(stderr).toContain("(access-denied)");
  expect(stderr).not.toContain("AWS_ACCESS_KEY_ID");
});

test.each([
  ["use a lockTimeoutMs of 45000 or more", "use a --lease of 45s or more"],
  ["set lockTimeoutMs to 6000 or more.", "set --lease to 6s or more."],
  ["up to clockSkewToleranceMs (1500).", "up to --tolerance (1.5s)."],
  [
    "leaseMs is 5000: 9 permits could not all be renewed in time at 700 ms a round trip; use at least 12600 ms.",
    "--lease is 5s: 9 permits could not all be renewed in time at 700 ms a round trip; use at least 12.6s.",
  ],
])("C5: a duration is told as options take it: %s", (words, own) => {
  expect(inOwnWords(words)).toBe(own);
});

test("C5: more permits than are stored are told in options, not in calls", () => {
  const words =
    '"pool" has 3 permits; this caller says 5, and asks for 4 of them at once. The stored number counts: change it with resize(5), or ask for fewer.';
  expect(inOwnWords(words)).toMatch(/The stored number counts: pass --permits stored, which takes that\.$/);
});
