import { setTimeout as sleep } from "node:timers/promises";
import { AncestorMutex } from "../../ancestor.js";
import { type BenchCase, type Figure, freshName } from "../../case.js";
import { BUCKET_NAME, newMutex } from "../../contestants/library.js";
import { atMost, figure } from "../../figures.js";
import type { BenchServer } from "../../server/bench-server.js";
import { timed } from "../../turns.js";

const LATENCY_MS = 20;
/** The smaller of 5 s and a sixth of the lease. */
const LEASES = [
  { leaseMs: 60_000, timeoutMs: 5000 },
  { leaseMs: 6000, timeoutMs: 1000 },
];
const ANCESTOR_PATIENCE_MS = 15_000;
const SLACK_MS = 5 * LATENCY_MS;

export const neverAnswered: BenchCase = {
  name: "never-answered",
  issue: 2,
  title: "One write is never answered: what that adds, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const leases = bench.quick ? LEASES.slice(1) : LEASES;
    const theirs = measureAncestor(server);
    const ours = await Promise.all(leases.map((lease) => measureLibrary(server, lease)));
    const hung = (await theirs) === undefined;
    const note = `the ancestor was still waiting after ${ANCESTOR_PATIENCE_MS / 1000} s`;
    return ours.flat().map((one) => (hung ? { ...one, note } : one));
  },
};

async function measureLibrary(
  server: BenchServer,
  { leaseMs, timeoutMs }: { readonly leaseMs: number; readonly timeoutMs: number },
): Promise<Figure[]> {
  const mutex = newMutex(server, { lockTimeoutMs: leaseMs });
  const lockName = freshName("never");
  const silence = () =>
    server.call.addFaults([{ fault: "never-answer", operation: "PutObject", key: `locks/${lockName}.json`, times: 1 }]);
  const ordinary = await mutex.acquire(freshName("answered"));
  const acquireMs = await timed(() => mutex.acquire(freshName("answered")));
  const renewMs = await timed(() => ordinary.renew());
  const releaseMs = await timed(() => ordinary.release());
  await silence();
  let lock = ordinary;
  const silentAcquireMs = await timed(async () => {
    lock = await mutex.acquire(lockName);
  });
  await silence();
  const silentRenewMs = await timed(() => lock.renew());
  await silence();
  const silentReleaseMs = await timed(() => lock.release());
  await mutex.close();
  const added = {
    acquire: silentAcquireMs - acquireMs,
    renew: silentRenewMs - renewMs,
    release: silentReleaseMs - releaseMs,
  };
  return Object.entries(added).map(([what, ms]) =>
    figure({
      name: `${what}, lease of ${leaseMs / 1000} s`,
      unit: "ms",
      better: "lower",
      measured: ms,
      target: atMost(timeoutMs + SLACK_MS, `at most one request timeout (${timeoutMs} ms) + 5 round trips`),
    }),
  );
}

/** Says whether the ancestor got the lock; undefined when it was still waiting when the bench's patience was over. */
async function measureAncestor(server: BenchServer): Promise<boolean | undefined> {
  const mutex = new AncestorMutex({ s3Client: server.client(), bucketName: BUCKET_NAME });
  const lockName = freshName("never");
  await server.call.addFaults([
    { fault: "never-answer", operation: "PutObject", key: `locks/${lockName}.json`, times: 1 },
  ]);
  const acquiring = mutex.acquireLock(lockName).catch(() => false);
  return Promise.race([acquiring, sleep(ANCESTOR_PATIENCE_MS, undefined)]);
}
