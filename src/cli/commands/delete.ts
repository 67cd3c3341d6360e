import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { NAME_OPTIONS, onlyLockOf } from "../store/store-options.js";

export const deleteCommand: Command = {
  usage: ["delete [options] s3://BUCKET/PREFIX/NAME", "delete [options] NAME"],
  about: `
Removes a lock without holders and waiters; with --force, any, and an object under its key that is not a lock
record. It leaves a tombstone that reads as absent, which cleanup removes later: a request that is still under
way must not bring back an old fencing token.

--force asks on a terminal; elsewhere it does nothing without --yes. Exit codes: ${EXIT.ok} deleted; ${EXIT.failed} there is
no such lock, it has changed hands since it was shown, or the answer was no; ${EXIT.notAcquired} it has a holder or
a waiter; ${EXIT.store} the store is the problem, or the object is not a lock record; ${EXIT.usage} usage.`,
  options: {
    force: { type: "boolean", help: "Also when it is held, waited for, or not a lock record" },
    yes: { type: "boolean", short: "y", help: "Do not ask" },
    json: { type: "boolean", help: "One line of JSON" },
    ...NAME_OPTIONS,
  },
  examples: [
    { about: "The lock of a job that is no more", line: "s3-mutex delete s3://my-bucket/locks/nightly" },
    { about: "Something else lies under the key", line: "s3-mutex delete --force nightly" },
  ],
  async run(input, output) {
    const address = onlyLockOf(input);
    const { deleteLockCommand } = await import("../change/delete.js");
    return deleteLockCommand(input, address, output);
  },
};
