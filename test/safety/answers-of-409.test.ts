import { expect, it } from "vitest";
import { verifyStore } from "../../src/index.js";
import { type Arrived, type Gate, startGate } from "../store/gate.js";
import { clientFor } from "../store/stub.js";
import { BUCKET, open, processOn } from "./processes.js";

/** Starts a store that answers each creation over an object with 409 and this code, where S3 answers 412; or each refused write. */
function startStore(code: string, isOfAllWrites = false): Promise<Gate> {
  const says = ({ headers }: Arrived, status: number) =>
    status === 412 && (isOfAllWrites || headers["if-none-match"] !== undefined) ? { status: 409, code } : undefined;
  return startGate(() => undefined, { buckets: [BUCKET] }, { says });
}

function processAt(gate: Gate) {
  const s3Client = clientFor(gate.endpoint);
  open.push(async () => s3Client.destroy());
  return processOn(gate.server, { s3Client });
}

it.each(["BlobAlreadyExists", "FileAlreadyExists", "ObjectAlreadyExists", "PreconditionFailed"])(
  "where a store says 409 %s of an object that exists, one holds the lock, and the others wait",
  async (code) => {
    const gate = await startStore(code);
    const [one, other] = [processAt(gate), processAt(gate)];
    let inside = 0;
    const turn = async () => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      inside -= 1;
    };
    await Promise.all([one, other].map(({ mutex }) => mutex.withLock("x", turn, { timeoutMs: 15_000 })));
    expect(one.events).toMatchObject([{ verdict: "passed" }]);
  },
);

it.each(["OperationAborted", "ConditionalRequestConflict", "BucketAlreadyExists"])(
  "where it says 409 %s, the lock is not handed out, and the error quotes that",
  async (code) => {
    const { mutex } = processAt(await startStore(code));
    await expect(mutex.acquire("x", { timeoutMs: 5000 })).rejects.toMatchObject({
      code: "store-unavailable",
      message: expect.stringContaining(`are answered 409 (${code}), as while another write of it is under way`),
    });
  },
);

const examined = async (gate: Gate) => {
  const s3Client = clientFor(gate.endpoint);
  open.push(async () => s3Client.destroy());
  return await verifyStore({ s3Client, bucketName: BUCKET, rounds: 2 });
};

it("an examination takes a 409 that says that the object exists for a refusal", { timeout: 120_000 }, async () => {
  const { checks } = await examined(await startStore("BlobAlreadyExists"));
  expect(checks.find(({ id }) => id === "create-twice")).toMatchObject({ verdict: "pass" });
});

it("an examination says which question is always answered 409, and by which code", { timeout: 120_000 }, async () => {
  const { checks, verdict, elapsedMs } = await examined(await startStore("OperationAborted"));
  expect(verdict).toBe("fail");
  expect(checks.find(({ id }) => id === "create-twice")).toMatchObject({
    verdict: "fail",
    detail: expect.stringContaining("PUT with If-None-Match: * is answered 409 (OperationAborted) each time"),
  });
  expect(elapsedMs).toBeLessThan(60_000);
});

it("nor does it call a store safe that says so of each write with If-Match as well", { timeout: 120_000 }, async () => {
  const gate = await startStore("ObjectAlreadyExists", true);
  const { mutex } = processAt(gate);
  await expect(mutex.acquire("x", { timeoutMs: 3000 })).rejects.toMatchObject({ code: "store-unavailable" });
  const { checks, verdict } = await examined(gate);
  expect(verdict).toBe("fail");
  expect(checks.map(({ detail }) => detail).join()).toContain(
    "PUT with If-Match is answered 409 (ObjectAlreadyExists) each time",
  );
});
