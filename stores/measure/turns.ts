import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { TurnOrders, TurnTally } from "./turn-taker.js";

/** What processes came to that took turns under one lock, with the options that are default. */
export interface TurnsResult {
  readonly processes: number;
  readonly turns: number;
  /** Turns that ended with the lock still held. */
  readonly done: number;
  /** Turns that began while another had not ended, and neither was told. */
  readonly overlaps: number;
  /** Of the updates of a plain counter. */
  readonly lost: number;
  /** What calls rejected with, by code. */
  readonly errors: Readonly<Record<string, number>>;
}

const TAKER = fileURLToPath(new URL("./turn-taker.ts", import.meta.url));

/** Lets processes take turns, each with its client; the first grant is raced for, on a bucket where no lock was. */
export async function takeTurns(
  configs: readonly S3ClientConfig[],
  bucketName: string,
  size: { readonly processes: number; readonly turns: number },
): Promise<TurnsResult> {
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-turns-"));
  const counter = join(folder, "counter");
  writeFileSync(counter, "0");
  const takers: ChildProcess[] = [];
  try {
    for (let n = 0; n < size.processes; n += 1) {
      takers.push(fork(TAKER, [], { execArgv: ["--import", "tsx"], stdio: ["ignore", "ignore", "inherit", "ipc"] }));
    }
    await Promise.all(takers.map((taker) => once(taker, "message")));
    const tallies = await Promise.all(
      takers.map(async (taker, n) => {
        const s3ClientConfig = configs[n % configs.length] ?? {};
        const told = once(taker, "message") as Promise<[TurnTally]>;
        const gone = once(taker, "exit").then(() => [{ done: 0, overlaps: 0, errors: { "process-ended": 1 } }]);
        const orders = { s3ClientConfig, bucketName, turns: size.turns, counter, inside: join(folder, "inside") };
        taker.send(orders satisfies TurnOrders);
        const [tally] = (await Promise.race([told, gone])) as [TurnTally];
        return tally;
      }),
    );
    const done = tallies.reduce((sum, tally) => sum + tally.done, 0);
    return {
      ...size,
      done,
      overlaps: tallies.reduce((sum, { overlaps }) => sum + overlaps, 0),
      lost: done - Number(readFileSync(counter, "utf8")),
      errors: summed(tallies.map(({ errors }) => errors)),
    };
  } finally {
    for (const taker of takers) taker.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function summed(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const one of counts) for (const [code, count] of Object.entries(one)) all[code] = (all[code] ?? 0) + count;
  return all;
}

/** Says whether two were inside, or an update was lost, and no call said so. */
export function isSilent({ overlaps, lost, errors }: TurnsResult): boolean {
  return (overlaps > 0 || lost > 0) && errors["store-unsafe"] === undefined;
}

/** Describes the turns in a few words. */
export function turnsInWords({ processes, turns, done, overlaps, lost, errors }: TurnsResult): string {
  const told = Object.entries(errors).map(([code, count]) => `${count} ${code}`);
  const all = processes * turns;
  const parts = [
    ...(done === 0 ? [] : [`${done} of ${all} turns`]),
    ...(overlaps === 0 ? [] : [`${overlaps} overlaps`]),
    ...(lost === 0 ? [] : [`${lost} updates lost`]),
    ...told,
  ];
  return parts.join(", ");
}
