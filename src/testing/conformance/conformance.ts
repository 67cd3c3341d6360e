import { randomUUID } from "node:crypto";
import { type OptionNames, refuseUnknownOptions } from "../../arguments/option-names.js";
import type { Checks } from "./check.js";
import { lockChecks, oneXChecks } from "./lock-checks.js";
import { primitiveChecks } from "./primitive-checks.js";
import { raceChecks } from "./race-checks.js";
import { storeChecks } from "./store-checks.js";
import { type PortTarget, type S3Target, Subject } from "./subject.js";

/** How hard a store is tried, and where. */
export interface ConformanceSettings {
  /** What all keys start with. Default: a new prefix, under which small objects stay. */
  readonly keyPrefix?: string;
  /** Clients that race each other, at least 2. Default 16. */
  readonly racers?: number;
  /** How often they race, at least 1. Default 10. */
  readonly rounds?: number;
  /** Milliseconds after which a check has failed. Default 120,000. */
  readonly timeoutMs?: number;
  /** Only the checks of these. Default: all. */
  readonly groups?: readonly ConformanceGroup[];
}

/** What {@link runConformance} and {@link conformanceChecks} are given: a store that speaks S3, or a port of one's own. */
export type ConformanceOptions = (S3Target | PortTarget) & ConformanceSettings;

const CONFORMANCE_OPTIONS: OptionNames<ConformanceOptions> = {
  s3ClientConfig: true,
  bucketName: true,
  openStore: true,
  keyPrefix: true,
  racers: true,
  rounds: true,
  timeoutMs: true,
  groups: true,
};

/**
 * What a check is about: requests one after the other, requests that race, the locks over them, the API and the records of
 * s3-mutex 1.x.
 */
export type ConformanceGroup = "store" | "races" | "locks" | "1.x";

/** One check; rejects, with the reason, where the store does not pass. */
export interface ConformanceCheck {
  readonly group: ConformanceGroup;
  /** What has to be so, in words. */
  readonly name: string;
  run(): Promise<void>;
}

/** What became of one check. */
export interface ConformanceResult {
  readonly group: ConformanceGroup;
  readonly name: string;
  readonly passed: boolean;
  readonly durationMs: number;
  /** Why it did not pass. */
  readonly reason?: string;
}

/** What {@link runConformance} found. */
export interface ConformanceReport {
  readonly passed: number;
  readonly failed: number;
  /** In the order of the checks. */
  readonly results: readonly ConformanceResult[];
}

const GROUPS: Readonly<Record<ConformanceGroup, Checks>> = {
  store: storeChecks,
  races: raceChecks,
  locks: { ...lockChecks, ...primitiveChecks },
  "1.x": oneXChecks,
};

/**
 * Lists what a store has to do to hold locks, for any test framework:
 * `for (const { name, run } of conformanceChecks({ s3ClientConfig, bucketName })) test(name, run)`.
 */
export function conformanceChecks(options: ConformanceOptions): ConformanceCheck[] {
  refuseUnknownOptions("options", options, CONFORMANCE_OPTIONS);
  const {
    keyPrefix = `s3-mutex-conformance/${randomUUID()}/`,
    racers = 16,
    rounds = 10,
    timeoutMs = 120_000,
  } = options;
  const { groups = Object.keys(GROUPS) as ConformanceGroup[] } = options;
  return groups.flatMap((group) =>
    Object.entries(GROUPS[group]).map(([name, check], n) => ({
      group,
      name,
      async run() {
        const subject = new Subject(options, `${keyPrefix}${group}-${n}/`);
        try {
          await within(timeoutMs, check({ subject, racers, rounds }));
        } finally {
          await subject.close();
        }
      },
    })),
  );
}

/** Runs all checks, one after the other. @param onResult is called after each */
export async function runConformance(
  options: ConformanceOptions,
  onResult: (result: ConformanceResult) => void = () => {},
): Promise<ConformanceReport> {
  const results: ConformanceResult[] = [];
  for (const { group, name, run } of conformanceChecks(options)) {
    const startedAtMs = performance.now();
    const failure = await run().then(
      () => ({}),
      (error: unknown) => ({ reason: error instanceof Error ? error.message : String(error) }),
    );
    const durationMs = Math.round(performance.now() - startedAtMs);
    const result = { group, name, passed: !("reason" in failure), durationMs, ...failure };
    results.push(result);
    onResult(result);
  }
  const passed = results.filter((result) => result.passed).length;
  return { passed, failed: results.length - passed, results };
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${timeoutMs} ms`)), timeoutMs);
  });
  await Promise.race([work, timeUp]).finally(() => clearTimeout(timer));
}
