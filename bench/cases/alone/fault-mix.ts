import type { Bench, BenchCase } from "../../case.js";
import { ancestorOn } from "../../contestants/ancestor-contestant.js";
import type { Contestant } from "../../contestants/contestant.js";
import { libraryOn } from "../../contestants/library.js";
import { atLeast, atMost, figure } from "../../figures.js";
import type { BenchServer } from "../../server/bench-server.js";
import { requestsByKind, type Turns, takeTurns } from "../../turns.js";

const LATENCY_MS = 10;
const CLIENTS = 6;
const TURNS_EACH = 20;
const HOLD_MS = 10;
const TURNS = CLIENTS * TURNS_EACH;

export const faultMix: BenchCase = {
  name: "fault-mix",
  issue: 2,
  title: "6 clients, 20 turns each, through 4 % lost responses, 4 % dropped, 4 % 503, 3 % 500 after applying, 2 % 409",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const ours = await measure(bench, server, libraryOn(server), bench.rounds(3));
    const theirs = await measure(bench, server, ancestorOn(server), 1);
    const all = (of: (turns: Turns) => number) => ({ measured: ours.map(of), ancestor: theirs.map(of) });
    return [
      figure({
        name: "turns done",
        unit: `of ${TURNS}`,
        ...all(({ done }) => done),
        target: atLeast(TURNS),
        strict: true,
      }),
      figure({ name: "two inside", unit: "", ...all(({ overlaps }) => overlaps), target: atMost(0), strict: true }),
      figure({
        name: "turns",
        unit: "/s",
        better: "higher",
        ...all(({ done, elapsedMs }) => (done * 1000) / elapsedMs),
      }),
      figure({
        name: "requests a turn",
        unit: "",
        better: "lower",
        ...all(({ done, requests }) => requests.length / Math.max(1, done)),
        note: requestsByKind(ours),
      }),
    ];
  },
};

async function measure(bench: Bench, server: BenchServer, contestant: Contestant, rounds: number): Promise<Turns[]> {
  const plan = { clients: CLIENTS, turnsEach: TURNS_EACH, holdMs: HOLD_MS, limitMs: bench.quick ? 30_000 : 120_000 };
  const runs: Turns[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const random = bench.random(`faults ${round}`);
    await server.call.addFaults(mix().map((fault) => ({ ...fault, seed: random.integer(1, 2 ** 31) })));
    const turns = await takeTurns(contestant, plan, random);
    await server.call.clearFaults();
    bench.say(`${contestant.name}: ${turns.done} turns in ${(turns.elapsedMs / 1000).toFixed(1)} s`);
    runs.push(turns);
  }
  return runs;
}

function mix() {
  return [
    { fault: "lose-response", probability: 0.04 },
    { fault: "drop-before", probability: 0.04 },
    { fault: "status", status: 503, probability: 0.04 },
    { fault: "status", status: 500, applied: true, probability: 0.03 },
    // S3 gives this answer to conditional writes only.
    { fault: "status", status: 409, operation: "PutObject", probability: 0.02 },
  ] as const;
}
