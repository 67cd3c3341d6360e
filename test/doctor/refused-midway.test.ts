import { S3Client } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import { S3Mutex, verifyStore } from "../../src/index.js";
import type { StoreQuirks } from "../../src/testing/index.js";
import { errors } from "../../src/verify/checks/clock.js";
import { keys } from "../../src/verify/checks/keys.js";
import { createRace, deleteRace, replaceRace } from "../../src/verify/races/races.js";
import { cliHere } from "../cli/here.js";
import { IN_FULL } from "../scale.js";
import { type Refusal, startGate } from "../store/gate.js";
import { CREDENTIALS } from "../store/stub.js";
import { examinationOf } from "./examine.js";

const TIMEOUT = { timeout: 120_000 };
const BUCKET = "locks";

const DENIED: Refusal = { status: 403, code: "AccessDenied" };
const EXPIRED: Refusal = { status: 400, code: "ExpiredToken" };
const KINDS = [DENIED, EXPIRED, { status: 403, code: "QuotaExceeded" }, { status: 403, code: "UserSuspended" }];

const IGNORES: StoreQuirks = { ignoreIfMatch: true, ignoreIfNoneMatch: true };
const RACES: StoreQuirks = { checkThenWriteRace: true };

/** Starts a store that refuses all from one request on, until it recovers. */
async function refusing(refusal: Refusal, from: number, quirks: StoreQuirks = {}) {
  let isOn = true;
  const gate = await startGate(() => (isOn && gate.arrived.length >= from ? refusal : undefined), { quirks });
  const { endpoint } = gate;
  const recover = () => {
    isOn = false;
  };
  return {
    ...gate,
    recover,
    config: { endpoint, region: "us-east-1", forcePathStyle: true, credentials: CREDENTIALS },
  };
}

test.each([
  ...KINDS.map(({ code }) => [code, IGNORES, IN_FULL ? [2, 4, 8, 30] : [2, 8]] as const),
  ...(IN_FULL ? KINDS : [DENIED]).map(({ code }) => [code, RACES, IN_FULL ? [2, 15] : [15]] as const),
])(
  'verify: "once", %s in the middle: a store with %j is examined anew, and no lock is handed out in it',
  TIMEOUT,
  async (code, quirks, positions) => {
    const refusal = KINDS.find((kind) => kind.code === code) as Refusal;
    for (const from of positions) {
      const { config, recover } = await refusing(refusal, from, quirks);
      const s3Client = new S3Client(config);
      onTestFinished(() => s3Client.destroy());
      const mutex = new S3Mutex({ s3Client, bucketName: BUCKET, verify: "once" });
      await expect(mutex.acquire("job", { timeoutMs: 20_000 }), `from request ${from} on`).rejects.toMatchObject({
        code: "access-denied",
      });
      recover();
      await expect(mutex.tryAcquire("job"), `after ${from}`).rejects.toMatchObject({ code: "store-unsafe" });
    }
  },
);

test('verify: "once": rights that a policy may lack from the beginning are not missed', TIMEOUT, async () => {
  const { config } = await refusing(DENIED, Number.POSITIVE_INFINITY, { deny: ["DeleteObject", "ListObjectsV2"] });
  const s3Client = new S3Client(config);
  onTestFinished(() => s3Client.destroy());
  const mutex = new S3Mutex({ s3Client, bucketName: BUCKET, verify: "once" });
  expect(await (await mutex.acquire("job")).release()).toBe(true);
});

test.each(KINDS.flatMap(({ code }) => (IN_FULL ? [8, 60, 200] : [60]).map((from) => [code, from] as const)))(
  "verifyStore: %s from request %i on gives no verdict",
  TIMEOUT,
  async (code, from) => {
    const { config } = await refusing(KINDS.find((kind) => kind.code === code) as Refusal, from);
    await expect(verifyStore({ s3ClientConfig: config, bucketName: BUCKET, rounds: 2 })).rejects.toMatchObject({
      code: "access-denied",
      message: expect.stringMatching(/so there is no verdict|cannot be used/),
    });
  },
);

test.each([DENIED, EXPIRED])(
  "doctor, $code in the middle: exit code 69, soon, and what is left is named",
  TIMEOUT,
  async (refusal) => {
    const { config, server, arrived } = await refusing(refusal, 60);
    const environment = {
      AWS_ENDPOINT_URL: config.endpoint,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_REGION: "us-east-1",
    };
    const { exitCode, stdout, stderr } = await cliHere(["doctor", `s3://${BUCKET}/locks/`], environment);
    expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: "" });
    expect(stderr).toMatch(
      /^s3-mutex: .*so there is no verdict: .*\(access-denied\)\.\ns3-mutex: objects of the examination may be left, .*Remove what is under locks\/\.s3-mutex\/doctor-.*\n$/,
    );
    const [left] = server.objects(BUCKET).map(({ key }) => key.split("/").slice(0, 3).join("/"));
    expect(stderr).toContain(`${left}/`);
    // Those that were under way, and what finds out that nothing can be removed.
    expect(arrived.length - 60).toBeLessThan(40);
  },
);

test.each([
  ["a refusal", DENIED, /403 AccessDenied/],
  ["an error", { status: 500, code: "InternalError" }, /500 InternalError/],
  ["412", { status: 412, code: "PreconditionFailed" }, /If-None-Match: \* on a new key was refused/],
] as const)("a race that no round of was run is not won (%s)", TIMEOUT, async (_, refusal, message) => {
  const { endpoint } = await startGate(({ method }) => (method === "PUT" ? refusal : undefined));
  const { exam } = examinationOf(endpoint, BUCKET);
  exam.honoursDeletes = true;
  await expect(replaceRace(exam)).rejects.toThrow(message);
  await expect(deleteRace(exam)).rejects.toThrow(message);
  if (refusal === DENIED) await expect(createRace(exam)).rejects.toThrow(message);
});

test("what was denied counts among the errors, and says nothing about keys", TIMEOUT, async () => {
  const { endpoint } = await startGate(({ method }) => (method === "PUT" ? DENIED : undefined));
  const { exam } = examinationOf(endpoint, BUCKET);
  await expect(keys(exam)).rejects.toThrow(/403 AccessDenied/);
  const { requests, refused } = exam.observations;
  expect(errors(exam)).toMatchObject({
    verdict: "fail",
    detail: expect.stringMatching(`${refused} of ${requests} requests failed, the last one with: .*AccessDenied`),
  });
});
