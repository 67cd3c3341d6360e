import { World } from "../src/testing/virtual/world.js";
import { TURNS } from "./actors/registry.js";
import { planOf } from "./draw.js";
import type { Outcome } from "./outcome.js";
import { FAULT_KINDS } from "./plan/fault-kinds.js";
import type { Edits, Plan } from "./plan/plan.js";
import { runSeed } from "./run.js";

export interface Shrunk {
  readonly edits: Edits;
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly runs: number;
}

/** Runs that are spent on making one smaller. */
const MAX_RUNS = 400;

/**
 * Makes a failing run smaller, as long as the same property fails: fewer clients, lines of work, kinds of turns and of faults,
 * exact clocks, an earlier end, and then single faults. Everything that is left is drawn as it was.
 */
export async function shrink(
  seed: number,
  report: (line: string) => void,
  maxRuns = MAX_RUNS,
): Promise<Shrunk | undefined> {
  let outcome = await runSeed(seed);
  const property = outcome.findings[0]?.property;
  if (property === undefined) return undefined;
  let edits: Edits = {};
  let runs = 1;
  const attempt = async (candidate: Edits): Promise<boolean> => {
    if (runs >= maxRuns) return false;
    runs += 1;
    const smaller = await runSeed(seed, { edits: candidate });
    if (!smaller.findings.some((finding) => finding.property === property)) return false;
    edits = candidate;
    outcome = smaller;
    report(`${runs} runs: ${JSON.stringify(edits)}`);
    return true;
  };
  for (let before = -1; before !== runs && runs < maxRuns; ) {
    before = runs;
    let isSmaller = false;
    for (const candidate of candidates(seed, () => edits)) isSmaller = (await attempt(candidate())) || isSmaller;
    if (!isSmaller) break;
  }
  await dropFaults(() => edits, outcome.faults * 2, attempt);
  return { edits, plan: planOf(seed, new World(seed).random.fork(), edits), outcome, runs };
}

type Candidate = () => Edits;

function candidates(seed: number, now: () => Edits): readonly Candidate[] {
  const { clients } = planOf(seed, new World(seed).random.fork());
  const names = clients.map(({ name }) => name);
  const without = (name: string) => () => ({
    ...now(),
    clients: (now().clients ?? names).filter((other) => other !== name),
  });
  return [
    ...names.map(without),
    () => ({ ...now(), tasks: 1 }),
    () => ({ ...now(), exactClocks: true }),
    ...[20, 12, 6, 3, 1].map((grants) => () => ({ ...now(), grants: Math.min(grants, now().grants ?? grants) })),
    ...FAULT_KINDS.map((kind) => () => ({ ...now(), withoutKinds: added(now().withoutKinds, kind) })),
    ...TURNS.map(({ name }) => () => ({ ...now(), withoutTurns: added(now().withoutTurns, name) })),
  ];
}

/** Drops ever smaller pieces of the list of faults, as long as dropping them changes nothing. */
async function dropFaults(now: () => Edits, count: number, attempt: (edits: Edits) => Promise<boolean>): Promise<void> {
  for (let limit = Math.floor(count / 2); limit > 0; limit = Math.floor(limit / 2)) {
    if (!(await attempt({ ...now(), faultLimit: limit }))) break;
  }
  const left = now().faultLimit ?? count;
  for (let size = Math.ceil(left / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < left; start += size) {
      const piece = Array.from({ length: Math.min(size, left - start) }, (_, index) => start + index);
      const known = now().withoutFaults ?? [];
      if (piece.every((index) => known.includes(index))) continue;
      await attempt({ ...now(), withoutFaults: [...new Set([...known, ...piece])] });
    }
  }
}

function added<T>(known: readonly T[] | undefined, one: T): readonly T[] {
  return [...new Set([...(known ?? []), one])];
}
