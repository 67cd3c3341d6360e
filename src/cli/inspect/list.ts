import type { LockReport } from "../../index.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import type { LocksAddress } from "../store/address.js";
import { lockTable, summaryOf } from "./lock-table.js";
import { showProgress } from "./progress.js";
import { type Selection, selected } from "./selection.js";
import { withMutex } from "./with-mutex.js";

/** Runs `s3-mutex ls`. */
export function listCommand(
  input: Input,
  address: LocksAddress,
  selection: Selection,
  output: Output,
): Promise<number> {
  return withMutex(input, address, output, async (mutex, signal) => {
    const found: LockReport[] = [];
    const onProgress = showProgress("reading", output);
    for await (const report of mutex.list({ prefix: address.namePrefix, signal, onProgress })) found.push(report);
    output.status("");
    const reports = selected(found, selection);
    if (input.values.flag("json")) {
      for (const report of reports) output.json(report);
      return EXIT.ok;
    }
    if (reports.length > 0) for (const line of lockTable(reports, output)) output.line(line);
    if (output.isWatched) {
      const hidden = found.length - reports.length;
      output.note(`${summaryOf(found)}${hidden > 0 ? ` (${hidden.toLocaleString("en")} not shown)` : ""}.`);
    }
    return EXIT.ok;
  });
}
