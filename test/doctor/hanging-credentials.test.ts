import { expect, onTestFinished, test } from "vitest";
import { verifyStore } from "../../src/index.js";
import { startS3Server } from "../../src/testing/index.js";
import { examine, QUICKLY } from "../../src/verify/verify.js";
import { Clockwork, settled } from "../protocol/clockwork.js";
import { CREDENTIALS, clientFor } from "../store/stub.js";
import { BUCKET } from "./examine.js";

/** Makes a provider of credentials that has given none yet, and starts the store that nothing reaches without. */
async function startWithout() {
  const server = await startS3Server({ buckets: [BUCKET] });
  onTestFinished(() => server.close());
  let give = () => {};
  const given = new Promise<typeof CREDENTIALS>((resolve) => {
    give = () => resolve(CREDENTIALS);
  });
  let asked = 0;
  const credentials = () => {
    asked += 1;
    return given;
  };
  return { server, credentials, give: () => give(), asked: () => asked };
}

/** Examines until what is asked for first waits for credentials, and stops then. */
async function stopped({ server, credentials, asked }: Awaited<ReturnType<typeof startWithout>>) {
  const stop = new AbortController();
  const checks: unknown[] = [];
  const s3ClientConfig = { ...server.clientConfig(), credentials };
  const onCheck = (check: unknown) => void checks.push(check);
  const examining = verifyStore({ s3ClientConfig, bucketName: BUCKET, signal: stop.signal, onCheck });
  const rejected = expect(examining).rejects.toMatchObject({ code: "aborted" });
  await expect.poll(asked).toBeGreaterThan(0);
  stop.abort();
  await rejected;
  return checks;
}

test("an examination that is stopped before anything has left says nothing of objects", async () => {
  expect(await stopped(await startWithout())).toMatchObject([{ id: "clean-up", verdict: "pass" }]);
});

test("nothing leaves once it is over, though the credentials come then", async () => {
  const place = await startWithout();
  await stopped(place);
  place.give();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(place.server.requests.total).toBe(0);
  expect(place.server.objects(BUCKET)).toEqual([]);
});

test.each(["alone", "beside another way"])(
  "credentials that do not come are named, as soon as a request has waited for them in vain: %s",
  async (how) => {
    const { server, credentials } = await startWithout();
    const clockwork = new Clockwork();
    const [client, other] = [0, 1].map(() => clientFor(server.endpoint, { credentials }));
    const checks: unknown[] = [];
    const plan = {
      ...QUICKLY,
      clients: [client as never],
      ...(how === "alone" ? {} : { otherClients: [other as never] }),
      bucketName: BUCKET,
      keyPrefix: "locks/",
      leaseMs: 60_000,
      toleranceMs: 1000,
      onCheck: (check: unknown) => void checks.push(check),
    };
    let end: unknown;
    const examining = examine(plan, clockwork.effects).catch((error: unknown) => {
      end = error;
    });
    for (let turn = 0; end === undefined && turn < 200; turn += 1) {
      await settled();
      await clockwork.pass(500);
    }
    expect(clockwork.monotonicMs - new Clockwork().monotonicMs).toBeLessThan(35_000);
    await examining;
    expect(end).toMatchObject({
      code: "store-unavailable",
      message: expect.stringMatching(/could not be prepared within 30000 ms.*credentials/),
    });
    expect(checks).toMatchObject([{ id: "clean-up", verdict: "pass" }]);
    expect(server.requests.total).toBe(0);
  },
);
