import type { HolderReport, LockReport } from "../../index.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { problemText } from "../base/own-words.js";
import { printable } from "../base/text.js";
import { UsageError } from "../base/usage-error.js";
import type { Values } from "../base/values.js";
import { holdersText, shortId, whoAndWhere } from "../inspect/describe.js";
import { kindAt, noSuchLock } from "../inspect/elsewhere.js";
import { withMutex } from "../inspect/with-mutex.js";
import type { LockAddress } from "../store/address.js";
import { confirm } from "./confirm.js";

/** Runs `s3-mutex release --force`. */
export function releaseCommand(input: Input, address: LockAddress, output: Output): Promise<number> {
  const { lockName } = address;
  return withMutex(input, address, output, async (mutex, signal) => {
    const seen = await mutex.inspect(lockName);
    const title = `The ${kindAt(address)} ${printable(JSON.stringify(lockName))}`;
    const tell = (released: boolean, sentence: string) => {
      if (input.values.flag("json")) output.json({ lockName, released });
      else output.line(sentence);
      return EXIT.ok;
    };
    if (seen === null) {
      output.note(await noSuchLock(input, address));
      return EXIT.failed;
    }
    if (seen.problem !== undefined) {
      output.note(`${problemText(seen.problem).replace(/\.$/, "")} (${seen.problem.code}).`);
      return EXIT.store;
    }
    const report = { ...seen, holders: holdersMeant(seen, input.values) };
    if (report.holders.length === 0) return tell(false, `${title} is not held.`);
    const sentence = `${title} is held by ${holdersText(report)}.`;
    const isSure = input.values.flag("yes");
    if (!isSure && !(await confirm(`${sentence} ${WARNING} Release it?`, output, signal))) {
      output.note("nothing was done.");
      return EXIT.failed;
    }
    if (await mutex.releaseLock(lockName, { force: true, holderIds: holderIdsOf(report) })) {
      return tell(true, `Released. ${title} was held by ${holdersText(report, "would have stayed")}.`);
    }
    // A user that was asked about a holder is told that it was another matter by the time of the answer.
    const after = isSure ? await mutex.inspect(lockName) : undefined;
    if (isSure && (after?.holders ?? []).length === 0) return tell(false, "It was free already.");
    output.note(CHANGED);
    return EXIT.failed;
  });
}

/** Picks the holders that are to go: of several, those that were named. */
function holdersMeant({ lockName, holders }: LockReport, values: Values): readonly HolderReport[] {
  const ids = values.texts("holder");
  if (ids.length === 0) {
    if (holders.length <= 1 || values.flag("all-holders")) return holders;
    const some = holders.slice(0, SOME).map((holder) => `${shortId(holder)} (${whoAndWhere(holder)})`);
    const more = holders.length > SOME ? ` and ${holders.length - SOME} more` : "";
    throw new UsageError(
      `${holders.length} hold ${printable(JSON.stringify(lockName))}: name one with --holder ID, or end all with --all-holders. They are ${some.join(", ")}${more}.`,
    );
  }
  return ids.map((id) => {
    const found = holders.filter(({ acquisitionId }) => id !== "" && acquisitionId.startsWith(id));
    if (found.length === 1) return found[0] as HolderReport;
    const problem =
      found.length === 0
        ? "is not the beginning of any holder's ID"
        : `is the beginning of ${found.length} holders' IDs`;
    throw new UsageError(`--holder ${JSON.stringify(id)} ${problem}: see \`s3-mutex show\`.`);
  });
}

/** That many are named in a message. */
const SOME = 5;

/** Lists the ids of the holders that the operator was shown: no others are meant. */
export function holderIdsOf({ holders }: LockReport): string[] {
  return holders.map(({ acquisitionId }) => acquisitionId);
}

export const CHANGED = "it has changed hands meanwhile: nothing was done.";

const WARNING = "Its holder goes on until its next renewal fails; only the fencing token protects from that.";
