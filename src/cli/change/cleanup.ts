import type { CleanupReport } from "../../index.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { problemText } from "../base/own-words.js";
import { counted, printable } from "../base/text.js";
import { showProgress } from "../inspect/progress.js";
import { withMutex } from "../inspect/with-mutex.js";
import type { StoreAddress } from "../store/address.js";

export interface CleanupPlan {
  readonly isDryRun: boolean;
  readonly includeReleased: boolean;
  /** Only leases that were last renewed longer ago than this. */
  readonly olderThanMs: number | undefined;
}

/** Runs `s3-mutex cleanup`. */
export function cleanupCommand(input: Input, store: StoreAddress, plan: CleanupPlan, output: Output): Promise<number> {
  const { isDryRun, includeReleased, olderThanMs } = plan;
  return withMutex(input, store, output, async (mutex) => {
    const report = await mutex.cleanupStaleLocks({
      dryRun: isDryRun,
      includeReleased,
      olderThan: olderThanMs === undefined ? undefined : Date.now() - olderThanMs,
      onProgress: showProgress("reading", output),
    });
    output.status("");
    if (input.values.flag("json")) output.json(asJson(report, isDryRun));
    else show(report, isDryRun, output);
    return report.unreadable.length > 0 ? EXIT.store : EXIT.ok;
  });
}

function show(report: CleanupReport, isDryRun: boolean, output: Output): void {
  const { total, stale, cleaned, unreadable, unremovable } = report;
  const done = isDryRun ? "nothing was done: this is a dry run" : `${cleaned} freed or removed`;
  output.line(`${counted(total, "lock")}, ${stale} held by leases that have ended; ${done}.`);
  if (unremovable > 0) {
    output.line(
      `${counted(unremovable, "free lock")} ${unremovable === 1 ? "stays" : "stay"}: s3:DeleteObject is denied, or this store does not honour conditional deletes, or not in races; s3-mutex doctor says which.`,
    );
  }
  for (const { key, error } of unreadable) output.note(`${printable(key)}: ${problemText(error)}`);
}

function asJson({ unreadable, ...counts }: CleanupReport, dryRun: boolean) {
  const problems = unreadable.map(({ key, error }) => ({ key, code: error.code, message: error.message }));
  return { ...counts, dryRun, unreadable: problems };
}
