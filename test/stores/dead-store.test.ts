import { expect, test, vi } from "vitest";
import { verifyStore } from "../../src/index.js";
import { startS3Server } from "../../src/testing/index.js";

vi.setConfig({ testTimeout: 60_000 });

test("an examination does not clean up key by key after a store that has stopped answering", async () => {
  await using server = await startS3Server({ buckets: ["locks"], latencyMs: 1 });
  let keysWritten = 0;
  const seen = new Set<string>();
  server.onRequest(({ operation, key }) => {
    if (operation === "PutObject" && key !== undefined && !seen.has(key)) keysWritten = seen.add(key).size;
  });
  let requestsBefore = 0;
  const report = await verifyStore({
    s3ClientConfig: server.clientConfig(),
    bucketName: "locks",
    rounds: 30,
    onCheck({ id }) {
      if (id !== "lifecycle") return;
      requestsBefore = server.requests.total;
      server.faults.add({ fault: "status", status: 500 });
    },
  });
  expect(keysWritten).toBeGreaterThan(60);
  expect(report.checks.find(({ id }) => id === "clean-up")).toMatchObject({ verdict: "warn" });
  // Sixteen keys at once, some of which take a few tries; not all of them.
  expect(server.requests.total - requestsBefore).toBeLessThan(200);
});
