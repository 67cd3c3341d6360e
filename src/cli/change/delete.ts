import { type LockReport, type S3Mutex, S3MutexError } from "../../index.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { problemText } from "../base/own-words.js";
import { counted, printable } from "../base/text.js";
import { holdersText } from "../inspect/describe.js";
import { kindAt, noSuchLock } from "../inspect/elsewhere.js";
import { withMutex } from "../inspect/with-mutex.js";
import type { LockAddress } from "../store/address.js";
import { confirm } from "./confirm.js";
import { CHANGED, holderIdsOf } from "./release.js";

/** Runs `s3-mutex delete`. */
export function deleteLockCommand(input: Input, address: LockAddress, output: Output): Promise<number> {
  const { lockName } = address;
  const name = `${kindAt(address)} ${printable(JSON.stringify(lockName))}`;
  return withMutex(input, address, output, async (mutex, signal) => {
    const report = await mutex.inspect(lockName);
    if (report === null) {
      output.note(await noSuchLock(input, address));
      return EXIT.failed;
    }
    const isForced = input.values.flag("force");
    const isSure = () => input.values.flag("yes") || confirm(`${stateText(report, name)} ${QUESTION}`, output, signal);
    const problem = await (isForced ? deleteSeen(mutex, report, isSure) : deleteUnused(mutex, report, name));
    if (problem !== undefined) {
      output.note(isForced ? problem : `${problem} --force deletes it all the same.`);
      if (isForced) return EXIT.failed;
      return report.state === "unreadable" ? EXIT.store : EXIT.notAcquired;
    }
    if (input.values.flag("json")) output.json({ lockName, deleted: true });
    else output.line(`Deleted the ${name}.`);
    return EXIT.ok;
  });
}

const QUESTION = "Delete it, with all that it says?";

/** Deletes it if its holders are among those that were shown; why not, where it did not. */
async function deleteSeen(
  mutex: S3Mutex,
  report: LockReport,
  isSure: () => boolean | Promise<boolean>,
): Promise<string | undefined> {
  if (!(await isSure())) return "nothing was done.";
  const isDeleted = await mutex.deleteLock(report.lockName, { force: true, holderIds: holderIdsOf(report) });
  return isDeleted ? undefined : CHANGED;
}

/** Takes the lock first, so that no other caller can have taken it between the inspection and the deletion; why not, where it cannot. */
async function deleteUnused(mutex: S3Mutex, report: LockReport, name: string): Promise<string | undefined> {
  const { lockName } = report;
  if (report.problem !== undefined) return problemText(report.problem);
  if (report.waiters.length > 0 || report.state === "held") return stateText(report, name);
  const isOurs = await mutex.acquireLock(lockName, 0).catch((error) => {
    if (S3MutexError.is(error, "corrupt-record")) return false;
    throw error;
  });
  if (!isOurs) return `Another caller has just taken the ${name}.`;
  await mutex.deleteLock(lockName);
  return undefined;
}

function stateText(report: LockReport, name: string): string {
  if (report.problem !== undefined) return problemText(report.problem);
  const waiting = report.waiters.length === 0 ? "" : `, ${counted(report.waiters.length, "waiter")}`;
  return report.holders.length === 0
    ? `The ${name} is free${waiting}.`
    : `The ${name} is held by ${holdersText(report)}${waiting}.`;
}
