import { type Bench, type BenchCase, freshName } from "../../case.js";
import type { otherClockMethods } from "../../children/other-clock.js";
import { atMost, figure } from "../../figures.js";
import { ancestorUser, type LockUser, libraryUser } from "../../lock-user.js";
import { type Remote, startRemote } from "../../remote.js";
import type { BenchServer } from "../../server/bench-server.js";

const LATENCY_MS = 20;
const LEASE_MS = 3000;
const MINUTE_MS = 60_000;
const OFFSETS_MS = [5, -5, 300, -300].map((minutes) => minutes * MINUTE_MS);
const LIVE_FOR_MS = 5000;
const TAKEOVER_PATIENCE_MS = 12_000;
/** The default tolerance, the width of the clock's bounds, a poll at a tenth of the hold's age, and the requests. */
const LATE_MS = 1000 + 1000 + (LEASE_MS + 2000) / 10 + 3 * LATENCY_MS;

type Kind = "library" | "ancestor";

interface Outcome {
  readonly tookLive: number;
  readonly lostOwn: number;
  /** After the lease, by the right clock; missing when it never happened. */
  readonly takeoverMs: number | undefined;
}

export const wrongClock: BenchCase = {
  name: "wrong-clock",
  issue: 2,
  title: "A client whose clock is 5 min or 5 h off, either way, beside one whose clock is right; leases of 3 s",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    const ours = await measure(bench, server, "library");
    const theirs = await measure(bench, server, "ancestor");
    const takeovers = (outcomes: readonly Outcome[]) => outcomes.flatMap(({ takeoverMs }) => takeoverMs ?? []);
    const never = (outcomes: readonly Outcome[]) => outcomes.length - takeovers(outcomes).length;
    const early = (outcomes: readonly Outcome[]) => takeovers(outcomes).filter((ms) => ms < 0).length;
    const all = (of: (outcomes: readonly Outcome[]) => number) => ({ measured: of(ours), ancestor: of(theirs) });
    const none = { unit: `of ${OFFSETS_MS.length}`, target: atMost(0) };
    return [
      figure({ name: "took a live lock", ...none, ...all((list) => count(list, "tookLive")) }),
      figure({ name: "lost its own lock", ...none, ...all((list) => count(list, "lostOwn")) }),
      figure({ name: "never took over an expired lock", ...none, ...all(never) }),
      figure({ name: "took over before the lease was over", ...none, ...all(early) }),
      figure({
        name: "taken over, after the end of the lease",
        unit: "ms",
        measured: takeovers(ours),
        target: atMost(LATE_MS, `at most tolerance + bounds + one poll (${LATE_MS} ms)`),
        strict: true,
      }),
    ];
  },
};

function count(outcomes: readonly Outcome[], what: "tookLive" | "lostOwn"): number {
  return outcomes.reduce((total, outcome) => total + outcome[what], 0);
}

async function measure(bench: Bench, server: BenchServer, kind: Kind): Promise<Outcome[]> {
  const children: Remote<typeof otherClockMethods>[] = [];
  for (const offsetMs of OFFSETS_MS) children.push(await startOther(server, kind, offsetMs));
  const client = server.client();
  const right = kind === "library" ? libraryUser(client, LEASE_MS) : ancestorUser(client, LEASE_MS);
  const outcomes = await Promise.all(children.map((child) => meet(right, child)));
  for (const [index, outcome] of outcomes.entries()) {
    bench.say(`${kind}, clock off by ${(OFFSETS_MS[index] ?? 0) / MINUTE_MS} min: ${JSON.stringify(outcome)}`);
  }
  await Promise.all(children.map((child) => child.kill()));
  return outcomes;
}

async function startOther(server: BenchServer, kind: Kind, offsetMs: number) {
  const env = { BENCH_CLOCK_OFFSET_MS: String(offsetMs) };
  const child = await startRemote<typeof otherClockMethods>(
    new URL("../../children/other-clock.ts", import.meta.url),
    env,
  );
  const itsNowMs = await child.call.start(kind, server.clientConfig, LEASE_MS);
  if (Math.abs(itsNowMs - Date.now() - offsetMs) > MINUTE_MS) throw new Error("the child's clock could not be shifted");
  return child;
}

/** Tries three locks, all at once: a live one of ours, a live one of the other's, and one whose holder is gone. */
async function meet(right: LockUser, { call }: Remote<typeof otherClockMethods>): Promise<Outcome> {
  const [ours, theirs, orphan] = [freshName("ours"), freshName("theirs"), freshName("orphan")];
  await Promise.all([right.keep(ours), call.keep(theirs), right.takeAndDie(orphan)]);
  const endsAtMs = performance.now() + LEASE_MS;
  const [tookOurs, tookTheirs, takeoverMs] = await Promise.all([
    call.tryFor(ours, LIVE_FOR_MS),
    right.tryFor(theirs, LIVE_FOR_MS),
    call.tryFor(orphan, TAKEOVER_PATIENCE_MS).then((got) => (got ? performance.now() - endsAtMs : undefined)),
  ]);
  const keptOurs = await right.stillHas(ours);
  const keptTheirs = await call.stillHas(theirs);
  return {
    tookLive: tookOurs || !keptOurs ? 1 : 0,
    lostOwn: tookTheirs || !keptTheirs ? 1 : 0,
    takeoverMs,
  };
}
