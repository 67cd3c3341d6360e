import { expect, onTestFinished, test } from "vitest";
import { type StoreCheck, verifyStore } from "../../src/index.js";
import { type FaultRule, startS3Server } from "../../src/testing/index.js";
import { askThenTidyUp } from "../../src/verify/examination/stopping.js";
import { startGate } from "../store/gate.js";
import { BUCKET, examinationOf } from "./examine.js";

const TIMEOUT = { timeout: 60_000 };

/** Stops an examination as soon as this has struck one of its writes. */
async function stoppedAt(rule: Partial<FaultRule> & Pick<FaultRule, "fault">) {
  const server = await startS3Server({ buckets: [BUCKET] });
  onTestFinished(() => server.close());
  const struck = server.faults.add({ operation: "PutObject", skip: 6, times: 1, ...rule } as FaultRule);
  const stop = new AbortController();
  const told: StoreCheck[] = [];
  const options = { s3ClientConfig: server.clientConfig(), bucketName: BUCKET, rounds: 2, signal: stop.signal };
  const examining = verifyStore({ ...options, onCheck: (check) => told.push(check) }).catch((error: unknown) => error);
  await expect.poll(() => struck.hits, { timeout: 20_000, interval: 5 }).toBe(1);
  stop.abort();
  expect(await examining).toMatchObject({ code: "aborted" });
  const keys = () => server.objects(BUCKET).map(({ key }) => key);
  return { server, keys, cleanUp: told.at(-1) };
}

test(
  "a write that the store does late is waited for and removed, when the examination is stopped",
  TIMEOUT,
  async () => {
    const { server, keys, cleanUp } = await stoppedAt({ fault: "latency", beforeMs: 2500 });
    await server.settled();
    expect(keys()).toEqual([]);
    expect(cleanUp).toMatchObject({ id: "clean-up", verdict: "pass" });
  },
);

test("a write that the store does after its time-out is named, when the examination is stopped", TIMEOUT, async () => {
  const { server, keys, cleanUp } = await stoppedAt({ fault: "delay-apply", delayMs: 9000, answer: "none" });
  expect(keys()).toEqual([]);
  await server.settled();
  expect(keys()).toHaveLength(1);
  expect(cleanUp).toMatchObject({
    id: "clean-up",
    verdict: "warn",
    detail: expect.stringContaining(keys()[0] as string),
  });
});

test(
  "of checks that race, those that go on when one has failed write nothing beside the clean-up",
  TIMEOUT,
  async () => {
    let straggler: Promise<unknown> | undefined;
    const { server, endpoint } = await startGate(
      ({ method }) => {
        if (method === "DELETE") straggler ??= lane.put(exam.newKey(), exam.newBody(), {});
        return undefined;
      },
      { buckets: [BUCKET] },
    );
    const { exam, lane } = examinationOf(endpoint);
    await exam.create(exam.newKey(), exam.newBody());
    const asking = Promise.reject(new Error("a gateway does not answer any more"));
    const told: unknown[] = [];
    const tidied = (finding: unknown) => told.push(finding);
    await expect(askThenTidyUp(exam, { lanes: [lane], asking, signal: undefined, tidied })).rejects.toThrow("any more");
    expect(await straggler).toMatchObject({ kind: "unknown", sent: false });
    expect(server.objects(BUCKET)).toEqual([]);
    expect(told).toMatchObject([{ verdict: "pass" }]);
  },
);

test("a write that lands between its removal and the last look is removed as well", TIMEOUT, async () => {
  const server = await startS3Server({ buckets: [BUCKET] });
  onTestFinished(() => server.close());
  const { exam, lane } = examinationOf(server.endpoint);
  await exam.create(exam.newKey(), exam.newBody());
  server.faults.add({ fault: "latency", operation: "PutObject", beforeMs: 200 });
  server.faults.add({ fault: "latency", operation: "ListObjectsV2", beforeMs: 500 });
  const writing = lane.put(exam.newKey(), exam.newBody(), {});
  const told: unknown[] = [];
  // What has not left by then never does.
  const asking = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("stopped")), 50));
  const tidied = (finding: unknown) => told.push(finding);
  await expect(askThenTidyUp(exam, { lanes: [lane], asking, signal: undefined, tidied })).rejects.toThrow("stopped");
  await writing;
  expect(server.objects(BUCKET)).toEqual([]);
  expect(told).toMatchObject([{ verdict: "pass" }]);
});
