import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, type BenchCase, freshName } from "../../case.js";
import type { leaderMethods } from "../../children/leader.js";
import { BUCKET_NAME, newMutex } from "../../contestants/library.js";
import { atMost, figure } from "../../figures.js";
import { startRemote } from "../../remote.js";
import type { BenchServer } from "../../server/bench-server.js";

const LATENCY_MS = 20;
const LEASE_MS = 5000;
const TOLERANCE_MS = 1000;
/** What one answer leaves open of the store's clock, and how often a candidate looks. */
const CLOCK_BOUNDS_MS = 1050;
const POLL_MS = 500;
const LED_FOR_MS = 6000;

export const election: BenchCase = {
  name: "election",
  issue: 6,
  title: `Leader election, lease ${LEASE_MS} ms, 20 ms round trip: a leader that resigns, and one that is killed`,
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const resigned: number[] = [];
    const killed: number[] = [];
    for (let round = 0; round < bench.rounds(3); round += 1) {
      resigned.push(await afterResignation(bench, server));
      killed.push(await afterDeath(bench, server));
    }
    const longestMs = LEASE_MS + TOLERANCE_MS + CLOCK_BOUNDS_MS + POLL_MS;
    const words = `lease + tolerance + clock bounds + one poll (${longestMs} ms)`;
    return [
      figure({
        name: "new leader after a resignation",
        unit: "ms",
        measured: resigned,
        target: atMost(1000),
        strict: true,
      }),
      figure({
        name: "new leader after a death",
        unit: "ms",
        measured: killed,
        target: atMost(longestMs, words),
        strict: true,
      }),
    ];
  },
};

async function afterResignation(bench: Bench, server: BenchServer): Promise<number> {
  const [leader, candidate] = [newMutex(server), newMutex(server)];
  const name = freshName("resigning");
  const leading = leader.election(name, { leaseMs: LEASE_MS });
  await leading.campaign();
  const campaign = candidate.election(name, { leaseMs: LEASE_MS }).campaign();
  await sleep(LED_FOR_MS);
  const startedAtMs = performance.now();
  await leading.resign();
  await campaign;
  const tookMs = performance.now() - startedAtMs;
  bench.say(`resigned: ${Math.round(tookMs)} ms`);
  await Promise.all([leader.close(), candidate.close()]);
  return tookMs;
}

async function afterDeath(bench: Bench, server: BenchServer): Promise<number> {
  const candidate = newMutex(server);
  const name = freshName("dying");
  const child = await startRemote<typeof leaderMethods>(new URL("../../children/leader.ts", import.meta.url));
  await child.call.lead(server.clientConfig, BUCKET_NAME, name, LEASE_MS);
  const campaign = candidate.election(name, { leaseMs: LEASE_MS }).campaign();
  await sleep(LED_FOR_MS);
  await child.kill();
  const startedAtMs = performance.now();
  await campaign;
  const tookMs = performance.now() - startedAtMs;
  bench.say(`killed: ${Math.round(tookMs)} ms`);
  await candidate.close();
  return tookMs;
}
