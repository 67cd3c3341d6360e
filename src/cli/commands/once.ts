import { DEFAULT_LEASE_MS } from "../../arguments/defaults.js";
import type { Command, Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { UsageError } from "../base/usage-error.js";
import type { OncePlan } from "../once/session.js";
import { CONFLICT_OPTIONS, conflictPlan } from "../run/conflict.js";
import { commandLineOf, HOLDING_OPTIONS, holdingPlan } from "../run/plan.js";
import type { LockAddress } from "../store/address.js";
import { onceKeyOf } from "../store/once-key.js";

const WORDING = { name: "once", question: "Once what, and what to run?" };

export const once: Command = {
  usage: [
    "once [options] s3://BUCKET/PREFIX/KEY -- COMMAND [ARGUMENTS]",
    "once [options] KEY -- COMMAND [ARGUMENTS]",
    "once --forget [options] KEY",
  ],
  about: `
Runs the command unless it was done for this key before, on any machine: a command that ends with 0 is
done, and is remembered. It runs under a lock, as with run, and never twice at a time; one that fails,
dies or loses its lock is not remembered, and the next one runs it again. So it may run more than once
where it fails: what it writes has to bear that, or check S3_MUTEX_FENCING_TOKEN.

The lock is once/KEY, the result is kept under once/PREFIX/KEY in the bucket: what the library calls
runOnce(KEY). S3_MUTEX_LOCK_NAME is once/KEY. --forget makes the next one run again.

Exit codes: ${EXIT.ok} done, now or before; the command's own; ${EXIT.notAcquired} another process is at it; ${EXIT.lost} the lock was lost;
${EXIT.store} the store is the problem; ${EXIT.usage} usage; ${EXIT.failed} with --forget: it was not done.`,
  options: {
    ...CONFLICT_OPTIONS,
    forget: { type: "boolean", help: "Forget that it was done; waits for one that is at it" },
    "once-prefix": {
      type: "string",
      value: "PREFIX",
      help: "The library's oncePrefix (default: once/ and the prefix)",
    },
    ...HOLDING_OPTIONS,
  },
  examples: [
    {
      about: "A migration on the first machine of a release that comes by",
      line: "s3-mutex once s3://my-bucket/locks/migrate-2026-11 -- ./migrate.sh",
    },
    {
      about: "One e-mail a day, from the first machine to get there",
      line: "s3-mutex once report-$(date +%F) -- ./send-report.sh",
    },
    { about: "It has to be done again", line: "s3-mutex once --forget migrate-2026-11" },
  ],
  async run(input, output) {
    if (input.values.flag("forget")) {
      const lock = forgottenOf(input);
      const { withMutex } = await import("../inspect/with-mutex.js");
      const { forgetCommand } = await import("../once/session.js");
      // A command may ask to have its own run forgotten, and would wait for its own end.
      const heldByParent = input.environment["S3_MUTEX_HELD"];
      const options = { oncePrefix: input.values.word("once-prefix"), heldByParent };
      const forgotten = { key: lock.lockName, isQuiet: input.values.flag("quiet") };
      return withMutex(input, lock, output, (mutex, signal) => forgetCommand(mutex, forgotten, signal, output), {
        options,
      });
    }
    const plan = planOf(input);
    const { onceSession } = await import("../once/session.js");
    return onceSession(plan, output);
  },
};

function forgottenOf(input: Input): LockAddress {
  const [key, extra] = input.positionals;
  if (key === undefined) throw new UsageError("Which key? Write s3://BUCKET/locks/KEY, or KEY where a store is set.");
  const more = extra ?? input.rest?.[0];
  if (more !== undefined) throw new UsageError(`--forget runs nothing: ${more} is one too many.`);
  if (input.values.flag("create-bucket")) {
    throw new UsageError(
      "--forget creates nothing: in a bucket that is not there nothing was done. Leave --create-bucket out.",
    );
  }
  return onceKeyOf(input, key);
}

function planOf(input: Input): OncePlan {
  const { addresses, line } = commandLineOf(input, WORDING);
  const [address, extra] = addresses;
  if (extra !== undefined) throw new UsageError(`One key at a time: ${extra} is one too many.`);
  const lock = onceKeyOf(input, address);
  const plan = holdingPlan(input, lock, line, DEFAULT_LEASE_MS);
  return {
    ...plan,
    ...conflictPlan(input.values),
    mutex: { ...plan.mutex, oncePrefix: input.values.word("once-prefix") },
    key: lock.lockName,
  };
}
