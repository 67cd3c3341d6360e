import { type LockReport, type S3Mutex, S3MutexError } from "../../index.js";
import type { LockAddress } from "../address.js";
import type { Input } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { withMutex } from "../look/with-mutex.js";
import type { Output } from "../output.js";
import { counted, printable } from "../text.js";
import { confirm } from "./confirm.js";
import { holdersText } from "./release.js";

/** `s3-mutex delete` */
export function deleteLockCommand(input: Input, address: LockAddress, output: Output): Promise<number> {
  const { lockName } = address;
  const name = printable(JSON.stringify(lockName));
  return withMutex(input, address, output, async (mutex, signal) => {
    const report = await mutex.inspect(lockName);
    if (report === null) {
      output.note(`there is no lock ${name}.`);
      return EXIT.failed;
    }
    if (!input.values.flag("force")) {
      const problem = await deleteUnused(mutex, report);
      if (problem !== undefined) {
        output.note(`${problem} --force deletes it all the same.`);
        return report.state === "unreadable" ? EXIT.store : EXIT.notAcquired;
      }
    } else {
      const question = `${stateText(report, name)} Delete it, with all that it says?`;
      if (!(input.values.flag("yes") || (await confirm(question, output, signal)))) {
        output.note("nothing was done.");
        return EXIT.failed;
      }
      await mutex.deleteLock(lockName, true);
    }
    if (input.values.flag("json")) output.json({ lockName, deleted: true });
    else output.line(`Deleted ${name}.`);
    return EXIT.ok;
  });
}

/** Takes the lock first, so that nobody can have taken it between the look and the deletion; why not, where it cannot. */
async function deleteUnused(mutex: S3Mutex, report: LockReport): Promise<string | undefined> {
  const { lockName } = report;
  const name = printable(JSON.stringify(lockName));
  if (report.problem !== undefined) return printable(report.problem.message);
  if (report.waiters.length > 0 || report.state === "held") return stateText(report, name);
  const isOurs = await mutex.acquireLock(lockName, 0).catch((error) => {
    if (S3MutexError.is(error, "corrupt-record")) return false;
    throw error;
  });
  if (!isOurs) return `Somebody has just taken the lock ${name}.`;
  await mutex.deleteLock(lockName);
  return undefined;
}

function stateText(report: LockReport, name: string): string {
  if (report.problem !== undefined) return printable(report.problem.message);
  const waiting = report.waiters.length === 0 ? "" : `, ${counted(report.waiters.length, "waiter")}`;
  return report.holders.length === 0
    ? `The lock ${name} is free${waiting}.`
    : `The lock ${name} is held by ${holdersText(report)}${waiting}.`;
}
