import { expect, test } from "vitest";
import type { FaultRule } from "../../src/testing/index.js";
import { IN_FULL } from "../scale.js";
import { BUCKET, cli, startCli, startStore } from "./cli.js";

const TIMEOUT = { timeout: 60_000 };
const QUICK = ["doctor", "--rounds", "2"];

test("a safe store: a line for each check, the verdict, exit code 0, and nothing left", TIMEOUT, async () => {
  const { server, environment } = await startStore();
  const { exitCode, stdout, stderr } = await cli([...QUICK, `s3://${BUCKET}/locks/`], environment);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(
    /^VERDICT +CHECK +SEEN\n(pass .*\n){33}\nSafe to lock on: s3:\/\/my-bucket\/locks\/ \(33 checks/,
  );
  expect(server.objects(BUCKET)).toEqual([]);
});

test("an unsafe store: the fault, what to do, and exit code 1; as JSON too", TIMEOUT, async () => {
  const { environment } = await startStore({ quirks: { ignoreIfNoneMatch: true } });
  const shown = await cli(QUICK, environment);
  expect(shown.exitCode).toBe(1);
  expect(shown.stdout).toMatch(
    /\nfail: Create twice\n {2}If-None-Match: \* is ignored.*\n {2}Do not lock on this store/,
  );
  expect(shown.stdout).toMatch(/\nDo not lock on s3:\/\/my-bucket\/locks\/: 3 checks failed/);
  const { exitCode, stdout } = await cli([...QUICK, "--json"], environment);
  const report = JSON.parse(stdout);
  expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 1, verdict: "fail" });
  expect(report.checks.find(({ id }: { id: string }) => id === "create-twice")).toMatchObject({ verdict: "fail" });
});

test("warnings are not a failure, unless --strict says so", TIMEOUT, async () => {
  const { environment } = await startStore({ quirks: { noDate: true } });
  const { exitCode, stdout } = await cli(QUICK, environment);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("Safe to lock on: s3://my-bucket/locks/, with 1 warning ");
  expect((await cli([...QUICK, "--strict"], environment)).exitCode).toBe(1);
});

test("where nothing can be examined, it says why", async () => {
  const { environment } = await startStore();
  const missing = await cli([...QUICK, "s3://other-bucket/locks/"], environment);
  expect(missing).toMatchObject({ exitCode: 69, stdout: "" });
  expect(missing.stderr).toMatch(/no-such-bucket/);
  const usage = await cli(["doctor", "--gateway", "nowhere"], environment);
  expect(usage).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--gateway "nowhere" is not a URL') });
});

const CAUSES: readonly (readonly [FaultRule, RegExp])[] = [
  [{ fault: "status", status: 403, code: "InvalidAccessKeyId" }, /does not know this access key/],
  [{ fault: "status", status: 400, code: "ExpiredToken" }, /The credentials have expired, and there are no others/],
  [{ fault: "status", status: 403, code: "RequestTimeTooSkewed" }, /clock of this machine/],
  [{ fault: "page", status: 403, body: "<html>Blocked by the proxy</html>" }, /Blocked by the proxy/],
  [
    { fault: "page", status: 200, body: "<html>Welcome to the hotel</html>" },
    /Welcome to the hotel.*not an answer of S3/,
  ],
  [{ fault: "status", status: 500, code: "InternalError" }, /500 InternalError.*Try again later/],
  [
    { fault: "page", status: 404, body: "404 page not found", contentType: "text/plain" },
    /This is not an answer of S3/,
  ],
];
/** It is asked again and again. */
const SLOW_CAUSES: typeof CAUSES = [
  [{ fault: "status", status: 503, code: "SlowDown" }, /503 SlowDown.*Try again later/],
];

test.each(IN_FULL ? [...CAUSES, ...SLOW_CAUSES] : CAUSES)(
  "S9: %j is the cause, with exit code 69",
  TIMEOUT,
  async (fault, cause) => {
    const { server, environment } = await startStore();
    server.faults.add(fault);
    const { exitCode, stdout, stderr } = await cli(QUICK, environment);
    expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: "" });
    expect(stderr).toMatch(cause);
    expect(stderr).not.toMatch(/Allow s3:/);
  },
);

test("Ctrl-C tidies up", TIMEOUT, async () => {
  const { server, environment } = await startStore();
  const doctor = startCli(["doctor"], environment);
  while (server.objects(BUCKET).length < 10) await new Promise((resolve) => setTimeout(resolve, 10));
  doctor.process.kill("SIGINT");
  expect(await doctor.ended).toMatchObject({ exitCode: 130, stdout: "" });
  expect(server.objects(BUCKET)).toEqual([]);
});

test("a second gateway takes part", TIMEOUT, async () => {
  const { server, environment } = await startStore();
  const gateway = server.endpoint.replace("127.0.0.1", "localhost");
  const { exitCode, stdout } = await cli([...QUICK, "--gateway", gateway], environment);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/\npass +Gateways +.*what was written elsewhere/);
});

test("a second gateway that is away is named, and nothing is said of the store", TIMEOUT, async () => {
  const { server, environment } = await startStore();
  const { exitCode, stdout, stderr } = await cli([...QUICK, "--gateway", "http://127.0.0.1:1"], environment);
  expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: "" });
  expect(stderr).toMatch(
    /The gateway http:\/\/127\.0\.0\.1:1 does not answer.*ECONNREFUSED.*Check --gateway and the network/s,
  );
  expect(server.objects(BUCKET)).toEqual([]);
});
