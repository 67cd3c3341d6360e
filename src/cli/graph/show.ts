import type { LockReport } from "../../index.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { ageText, printable } from "../base/text.js";
import { whoAndWhere } from "../inspect/describe.js";
import { showProgress } from "../inspect/progress.js";
import { withMutex } from "../inspect/with-mutex.js";
import type { LocksAddress } from "../store/address.js";
import { type Wait, type WaitGraph, waitGraphOfReports } from "./wait-graph.js";

/** Runs `s3-mutex graph`. */
export function graphCommand(input: Input, address: LocksAddress, output: Output): Promise<number> {
  return withMutex(input, address, output, async (mutex, signal) => {
    const reports: LockReport[] = [];
    const onProgress = showProgress("reading", output);
    // A cycle may lead through any lock, so all are read, and those asked for are shown.
    for await (const report of mutex.list({ signal, onProgress })) reports.push(report);
    output.status("");
    const whole = waitGraphOfReports(reports);
    const isWanted = ({ lockName }: Wait) => lockName.startsWith(address.namePrefix);
    const graph = { waits: whole.waits.filter(isWanted), cycles: whole.cycles.filter((cycle) => cycle.some(isWanted)) };
    if (input.values.flag("json")) output.json(asJson(graph));
    else showGraph(graph, output);
    return graph.cycles.length > 0 ? EXIT.failed : EXIT.ok;
  });
}

function showGraph({ waits, cycles }: WaitGraph, output: Output): void {
  const { paint } = output;
  if (waits.length === 0) output.line("Nothing waits.");
  let lockName: string | undefined;
  for (const wait of waits) {
    if (wait.lockName !== lockName) {
      lockName = wait.lockName;
      output.line(`${paint("bold", printable(lockName))}  ${holdersText(wait)}`);
    }
    output.line(`  <- ${waiterText(wait)}${markOf(wait, output)}`);
  }
  for (const [index, cycle] of cycles.entries()) {
    output.line();
    output.line(paint("red", `Cycle ${index + 1}: ${cycleText(cycle)}.`));
  }
  if (cycles.length === 0) return;
  output.line("A deadlock is ended by its victim within seconds; `s3-mutex release NAME --force` ends what is left.");
}

/** Describes a cycle: `a waits for x, held by b, who waits for y, held by a` */
function cycleText(cycle: readonly Wait[]): string {
  const steps = cycle.map(({ lockName, waiter }, index) => {
    const next = cycle[(index + 1) % cycle.length] as Wait;
    const subject = index === 0 ? whoAndWhere(waiter) : "who";
    return `${subject} waits for ${printable(lockName)}, held by ${whoAndWhere(next.waiter)}`;
  });
  return steps.join(", ");
}

function holdersText({ holders }: Wait): string {
  if (holders.length === 0) return "free, about to be taken";
  return `held by ${holders.map((holder) => `${whoAndWhere(holder)} for ${ageText(holder.heldMs)}`).join(", ")}`;
}

function waiterText({ waiter }: Wait): string {
  const holds = waiter.holds.map(({ lockName }) => printable(lockName));
  const holding = holds.length === 0 ? "" : `, holds ${holds.join(", ")}`;
  return `${whoAndWhere(waiter)} waits for ${ageText(waiter.waitedMs)}${holding}`;
}

function markOf({ cycle, isBehindCycle }: Wait, { paint }: Output): string {
  if (cycle !== undefined) return paint("red", `  [cycle ${cycle + 1}]`);
  return isBehindCycle ? paint("yellow", "  [behind a cycle]") : "";
}

function asJson({ waits, cycles }: WaitGraph) {
  const edges = waits.map(({ lockName, waiter, holders, cycle, isBehindCycle }) => ({
    lockName,
    waiter,
    holders,
    ...(cycle === undefined ? {} : { cycle }),
    isBehindCycle,
  }));
  const named = cycles.map((cycle) =>
    cycle.map(({ lockName, waiter }) => ({ lockName, acquisitionId: waiter.acquisitionId })),
  );
  return { waits: edges, cycles: named };
}
