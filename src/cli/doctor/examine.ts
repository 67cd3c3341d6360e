import { S3MutexError, type StoreReport, verifyStore } from "../../index.js";
import { createS3Client } from "../../store/s3/client/client.js";
import type { Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { FailureWithNote } from "../base/usage-error.js";
import { catchSignals, exitCodeOf } from "../process/signals.js";
import type { StoreAddress } from "../store/address.js";
import { accessTo } from "../store/store-access.js";
import { checkEndpoint } from "../store/store-options.js";
import { showReport } from "./show.js";

export interface DoctorSettings {
  readonly rounds: number | undefined;
  readonly gateways: readonly string[];
  readonly lockTimeoutMs: number | undefined;
  readonly clockSkewToleranceMs: number | undefined;
}

/** Runs `s3-mutex doctor`. */
export async function doctorCommand(
  input: Input,
  store: StoreAddress,
  settings: DoctorSettings,
  output: Output,
): Promise<number> {
  const access = accessTo(input, store);
  const { gateways, ...examination } = settings;
  for (const gateway of gateways) checkEndpoint("--gateway", gateway);
  const otherClients = gateways.map((endpoint) => {
    return createS3Client({ region: "us-east-1", forcePathStyle: true, ...access.s3ClientConfig, endpoint });
  });
  const interrupt = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  let left: string | undefined;
  const letGo = catchSignals({
    receive(signal, isEnding) {
      if (!isEnding) return;
      // The second one does not wait for the tidying up.
      if (interruptedBy !== undefined) process.exit(exitCodeOf(interruptedBy));
      interruptedBy = signal;
      interrupt.abort();
    },
  });
  try {
    const report = await verifyStore({
      ...access,
      ...examination,
      otherClients,
      signal: interrupt.signal,
      onCheck({ id, title, verdict, detail, remedy = "" }, { done, total, elapsedMs }) {
        if (id === "clean-up" && verdict === "warn") left = `${detail}. ${remedy}`;
        const soFar = `${done} of ${total} checks in ${(elapsedMs / 1000).toFixed(0)} s`;
        output.status(`examined: ${soFar}, the last was: ${title} (Ctrl-C stops) ...`);
      },
    });
    output.status("");
    if (input.values.flag("json")) output.json(report);
    else showReport(report, output);
    return exitCodeFor(report, input.values.flag("strict"));
  } catch (error) {
    output.status("");
    const isStopped = interruptedBy !== undefined && S3MutexError.is(error, "aborted");
    if (interruptedBy === undefined || !isStopped) throw left === undefined ? error : new FailureWithNote(error, left);
    if (left !== undefined) output.note(`stopped: ${left}`);
    return exitCodeOf(interruptedBy);
  } finally {
    letGo();
    for (const client of otherClients) client.destroy();
  }
}

function exitCodeFor({ verdict }: StoreReport, isStrict: boolean): number {
  if (verdict === "fail") return EXIT.failed;
  return verdict === "warn" && isStrict ? EXIT.failed : EXIT.ok;
}
