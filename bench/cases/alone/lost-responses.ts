import type { Lock } from "../../../src/index.js";
import { AncestorMutex } from "../../ancestor.js";
import { type Bench, type BenchCase, freshName } from "../../case.js";
import { BUCKET_NAME, newMutex } from "../../contestants/library.js";
import { atMost, figure } from "../../figures.js";
import type { BenchServer } from "../../server/bench-server.js";
import { timed } from "../../turns.js";

const LATENCY_MS = 20;
const PUTS = { operation: "PutObject", key: /lost-/ } as const;

interface Run {
  acquireMs: number;
  renewMs: number;
  releaseMs: number;
  requests: number;
  leftLocked: number;
}

export const lostResponses: BenchCase = {
  name: "lost-responses",
  issue: 2,
  title: "Every write loses its first response, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const ours = await measureLibrary(bench, server);
    const theirs = await measureAncestor(server);
    const all = (of: (run: Run) => number) => ({ measured: ours.map(of), ancestor: of(theirs) });
    const time = { unit: "ms", better: "lower", target: atMost(1000), strict: true } as const;
    return [
      figure({
        name: "acquire",
        ...time,
        ...all(({ acquireMs }) => acquireMs),
        note: "the ancestor does not get it: the SDK repeats the write, which then fails against itself",
      }),
      figure({ name: "renew", ...time, ...all(({ renewMs }) => renewMs) }),
      figure({ name: "release", ...time, ...all(({ releaseMs }) => releaseMs) }),
      figure({ name: "requests for all three", unit: "", better: "lower", ...all(({ requests }) => requests) }),
      figure({
        name: "left locked",
        unit: "",
        ...all(({ leftLocked }) => leftLocked),
        target: atMost(0),
        strict: true,
      }),
    ];
  },
};

/** Measures three calls that each lose the response to their first write; what the library does after that is answered. */
async function measureLibrary(bench: Bench, server: BenchServer): Promise<Run[]> {
  const runs: Run[] = [];
  const observer = newMutex(server);
  for (let round = 0; round < bench.rounds(10, 3); round += 1) {
    const mutex = newMutex(server);
    const lockName = freshName("lost");
    await mutex.isLocked(freshName("warm-up"));
    await server.call.reset();
    const loseFirst = () => server.call.addFaults([{ fault: "lose-response", ...PUTS, times: 1 }]);
    await loseFirst();
    let lock: Lock | null = null;
    const acquireMs = await timed(async () => {
      lock = await mutex.tryAcquire(lockName);
    });
    const held = lock as Lock | null;
    await loseFirst();
    const renewMs = await timed(async () => held?.renew());
    await loseFirst();
    const releaseMs = await timed(async () => held?.release());
    const requests = (await server.requests()).length;
    await server.call.clearFaults();
    const leftLocked = held === null || (await observer.isLocked(lockName)) ? 1 : 0;
    runs.push({ acquireMs, renewMs, releaseMs, requests, leftLocked });
    await mutex.close();
  }
  await observer.close();
  return runs;
}

/** Measures the same for writes that the SDK repeats by itself: the first try of each loses its response, the second is answered. */
async function measureAncestor(server: BenchServer): Promise<Run> {
  const mutex = new AncestorMutex({ s3Client: server.client(), bucketName: BUCKET_NAME });
  const lockName = freshName("lost");
  await server.call.addFaults([{ fault: "lose-response", ...PUTS, alternate: true }]);
  await server.call.reset();
  const acquireMs = await timed(() => mutex.acquireLock(lockName));
  const renewMs = await timed(() => mutex.refreshLock(lockName));
  const requests = (await server.requests()).length;
  await server.call.clearFaults();
  // It believes that it does not have the lock, so that it is not released.
  const leftLocked = (await mutex.isOwnedByUs(lockName)) ? 1 : 0;
  const releaseMs = await timed(() => mutex.releaseLock(lockName));
  return { acquireMs, renewMs, releaseMs, requests, leftLocked };
}
