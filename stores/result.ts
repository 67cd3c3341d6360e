import type { ChaosResult } from "./measure/chaos.js";
import type { Latency } from "./measure/latency.js";
import type { Observation } from "./measure/observe.js";
import { isFair, type RaceResult } from "./measure/race.js";
import type { TurnsResult } from "./measure/turns.js";
import type { Verification } from "./measure/verify.js";
import type { VersionsResults } from "./measure/versions.js";

/** What a run found out about a store; `stores/results/NAME.json` has the last that was recorded. */
export interface StoreResult {
  readonly store: string;
  readonly title: string;
  readonly version: string;
  readonly source: string;
  /** The day, in UTC. */
  readonly date: string;
  /** The commit of this project that it was measured with. */
  readonly commit?: string;
  readonly gateways: number;
  readonly observation: Observation;
  readonly create: RaceResult;
  readonly replace: RaceResult;
  readonly latency: Latency;
  readonly verification: Verification;
  readonly suite: {
    readonly passed: number;
    readonly failed: ReadonlyArray<{ readonly group: string; readonly name: string; readonly reason: string }>;
    /** Whether the locks were tried at all; not on a store whose requests have failed already. */
    readonly withLocks: boolean;
  };
  /** Two processes that take turns with the options that are default. */
  readonly turns?: TurnsResult;
  readonly versions?: VersionsResults;
  readonly chaos?: ChaosResult;
  readonly verdict: "safe" | "unsafe";
  /** Why it is unsafe. */
  readonly faults: readonly string[];
}

/** Names the faults of the store itself, in words. */
export function faultsOf({
  observation,
  create,
  replace,
  suite,
}: Pick<StoreResult, "observation" | "create" | "replace" | "suite">): string[] {
  const faults: string[] = [];
  const say = (is: boolean, fault: string) => {
    if (is) faults.push(fault);
  };
  faults.push(...observedFaults(observation));
  say(!isFair(create), `racing creates: ${winnersOf(create)}`);
  say(!isFair(replace), `racing replacements: ${winnersOf(replace)}`);
  for (const { group, name } of suite.failed) say(group !== "locks" && group !== "1.x", `not so: ${name}`);
  return faults;
}

/** Names the faults that requests one after the other have shown. */
export function observedFaults(observation: Observation): string[] {
  const { createExisting, replaceStale, replaceMissing, createDeleted, replaceDeleted } = observation;
  return [
    ...(createExisting === "200" ? ["ignores `If-None-Match: *`"] : []),
    ...(replaceStale === "200" ? ["ignores `If-Match`"] : []),
    ...(isRejected(observation) ? ["does not know `If-Match`"] : []),
    ...(replaceMissing === "200" ? ["creates an object that `If-Match` should replace"] : []),
    // Either alone is a view of what a delete marker is; both are two holders.
    ...(createDeleted === "200" && replaceDeleted === "200" && replaceMissing !== "200"
      ? ["brings deleted objects back by `If-Match`"]
      : []),
  ];
}

function isRejected({ replaceCurrent, replaceUnquoted }: Observation): boolean {
  return replaceCurrent !== "200" && replaceUnquoted !== "200";
}

/** Describes in how many of the rounds exactly one client, not more or fewer, was told that it had won. */
export function winnersOf({ rounds, winners, wrongObject }: RaceResult): string {
  const one = winners["1"] ?? 0;
  if (one === rounds && wrongObject === 0) return `one winner in each of ${rounds} rounds`;
  const numbers = Object.keys(winners).map(Number);
  const wrong = wrongObject === 0 ? "" : `, ${wrongObject} times not its object`;
  return `one winner in ${one} of ${rounds} rounds, up to ${Math.max(...numbers)}${wrong}`;
}
