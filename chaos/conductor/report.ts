import type { LockTally } from "../messages.js";
import type { Figures } from "./figures.js";
import type { Outcome } from "./outcome.js";
import { lostBehindTokens, sum } from "./verdict.js";

/** Writes the beginning of the last line, and of the lines that tell how far it is. */
export function headline(figures: Figures, locks: readonly LockTally[]): string {
  const turns = sum(locks, ({ accepted }) => accepted);
  const happened = `${figures.get("kills")} kills, ${figures.get("freezes")} freezes, ${figures.get("restarts")} restarts`;
  return `${turns} turns, ${happened}`;
}

export function lastLine({ figures, tally }: Outcome): string {
  return `chaos: ${headline(figures, tally.locks)}, ${lostBehindTokens(tally)} updates lost behind tokens`;
}

type Row = readonly [label: string, value: number | string, remark?: string];

/** Makes the rows of the whole table, with a remark where a bare number says little. */
export function rowsOf(outcome: Outcome): readonly Row[] {
  const { figures, tally, inspection } = outcome;
  const of = (name: string) => figures.get(name);
  const list = (prefix: string) =>
    figures
      .startingWith(prefix)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ");
  const total = (value: (lock: LockTally) => number) => sum(tally.locks, value);
  const requests = of("requests") || of("requests sent");
  return [
    ["seconds", outcome.seconds.toFixed(0)],
    ["turns", total(({ accepted }) => accepted), "updates that the token check let through"],
    ["  tried", list("tried ")],
    ["kills", of("kills"), `${of("kills inside")} in a critical section`],
    [
      "freezes",
      of("freezes"),
      `${of("freezes past the lease")} past the lease, ${of("freezes inside")} in a critical section`,
    ],
    ["store restarts", of("restarts")],
    ["weather", list("weather ") || "calm all the time"],
    ["workers started", outcome.workersStarted],
    ["takeovers", total(({ takeovers }) => takeovers), "of holders that had not left"],
    ["losses noticed", of("losses noticed"), list("noticed by ")],
    ["deadlocks resolved", of("deadlocks resolved")],
    ["timed out", of("timed out"), `besides, ${of("not free")} of tryAcquire found the lock taken`],
    ["store unavailable", of("store unavailable")],
    ["longest wait", `${of("longest wait")} ms`],
    ["requests", requests, `${of("struck")} struck by a fault`],
    ["answers by proxies", figures.startingWith("told ").reduce((all, [, count]) => all + count, 0), list("told ")],
    ["stale ones refused", total(({ refused }) => refused), "by the token check"],
    [
      "  although sure",
      of("refused although sure"),
      `${of("refused although sure and awake")} of them not explained by a freeze`,
    ],
    [
      "lost without tokens",
      total(({ plainWrites, plainCounter }) => plainWrites - plainCounter),
      "updates of the resource that does not check",
    ],
    ["lost behind tokens", lostBehindTokens(tally)],
    ["tokens fell", tally.violations["token-fell"], `granted twice: ${tally.violations["token-granted-twice"]}`],
    ["each lock served again", `${outcome.recoveryMs.toFixed(0)} ms`, "after the end of all faults"],
    [
      "each lock free",
      `${inspection.freeAfterMs.toFixed(0)} ms`,
      `after the last worker left; taken after ${inspection.acquiredAfterMs.toFixed(0)} ms`,
    ],
  ];
}

export function tableOf(outcome: Outcome): string {
  return rowsOf(outcome)
    .map(([label, value, remark = ""]) => {
      const shown = typeof value === "number" || remark !== "" ? String(value).padStart(9) : ` ${value}`;
      return `${label.padEnd(23)}${shown}  ${remark}`.trimEnd();
    })
    .join("\n");
}

/** Writes the same for programs: labels become keys. */
export function jsonOf(outcome: Outcome, seed: number): string {
  const { failures, figures, tally, inspection, workersStarted, recoveryMs, seconds } = outcome;
  const counts = Object.fromEntries(figures.startingWith(""));
  const lost = lostBehindTokens(tally);
  const passed = failures.length === 0;
  const report = { passed, seed, seconds, lost, workersStarted, recoveryMs, failures, counts, inspection, tally };
  return JSON.stringify(report, null, 2);
}
