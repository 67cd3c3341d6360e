import type { LockReport } from "../../index.js";
import type { LockAddress } from "../address.js";
import type { Input } from "../command.js";
import { EXIT } from "../exit-codes.js";
import { holdersText } from "../look/describe.js";
import { withMutex } from "../look/with-mutex.js";
import type { Output } from "../output.js";
import { printable } from "../text.js";
import { confirm } from "./confirm.js";

/** `s3-mutex release --force` */
export function releaseCommand(input: Input, address: LockAddress, output: Output): Promise<number> {
  const { lockName } = address;
  return withMutex(input, address, output, async (mutex, signal) => {
    const report = await mutex.inspect(lockName);
    const name = printable(JSON.stringify(lockName));
    const tell = (released: boolean, sentence: string) => {
      if (input.values.flag("json")) output.json({ lockName, released });
      else output.line(sentence);
      return EXIT.ok;
    };
    if (report === null) {
      output.note(`there is no lock ${name}.`);
      return EXIT.failed;
    }
    if (report.problem !== undefined) {
      output.note(`${printable(report.problem.message)} (${report.problem.code}).`);
      return EXIT.store;
    }
    if (report.holders.length === 0) return tell(false, `Nobody holds the lock ${name}.`);
    const sentence = `The lock ${name} is held by ${holdersText(report)}.`;
    const isSure = input.values.flag("yes");
    if (!isSure && !(await confirm(`${sentence} ${WARNING} Release it?`, output, signal))) {
      output.note("nothing was done.");
      return EXIT.failed;
    }
    if (await mutex.releaseLock(lockName, { force: true, holderIds: holderIdsOf(report) })) {
      return tell(true, `Released. ${sentence.replace(" is held by ", " was held by ")}`);
    }
    // Who was asked about a holder is told that it was another matter by the time of the answer.
    const after = isSure ? await mutex.inspect(lockName) : undefined;
    if (isSure && (after?.holders ?? []).length === 0) return tell(false, "It was free already.");
    output.note(CHANGED);
    return EXIT.failed;
  });
}

/** Those whom the operator was shown: nobody else is meant. */
export function holderIdsOf({ holders }: LockReport): string[] {
  return holders.map(({ acquisitionId }) => acquisitionId);
}

export const CHANGED = "it has changed hands meanwhile: nothing was done.";

const WARNING = "Whoever holds it goes on until its next renewal fails; only the fencing token protects from that.";
