import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { UsageError } from "../base/usage-error.js";
import { NAME_OPTIONS, onlyLockOf } from "../store/store-options.js";

export const release: Command = {
  usage: ["release --force [options] s3://BUCKET/PREFIX/NAME", "release --force [options] NAME"],
  about: `
Ends another holder's hold. Look first (s3-mutex show), and end the process if you can: a holder that lives goes on
believing in its lock until its next renewal fails, a third of its lease at most, and only what checks the
fencing token is protected from it meanwhile. It is then told that the lock was lost. Where several hold it
(a semaphore, a shared lock), say which: --holder or --all-holders.

Asks on a terminal; elsewhere it does nothing without --yes. Exit codes: ${EXIT.ok} it is not held now;
${EXIT.failed} there is no such lock, it has changed hands since it was shown, or the answer was no;
${EXIT.store} the store is the problem; ${EXIT.usage} usage.`,
  options: {
    force: { type: "boolean", help: "Required: the hold is not yours" },
    holder: {
      type: "string",
      value: "ID",
      multiple: true,
      help: "Of several: only this one, by what show has in its column ID; may be repeated",
    },
    "all-holders": { type: "boolean", help: "Of several: all" },
    yes: { type: "boolean", short: "y", help: "Do not ask" },
    json: { type: "boolean", help: "One line of JSON" },
    ...NAME_OPTIONS,
  },
  examples: [
    {
      about: "The holder's machine is gone for good, its lease is long",
      line: "s3-mutex release --force s3://my-bucket/locks/nightly",
    },
    { about: "In a script", line: "s3-mutex release --force --yes nightly" },
    {
      about: "One permit of a semaphore, by its ID in s3-mutex show s3://my-bucket/semaphores/locks/pool",
      line: "s3-mutex release --force --holder 3f2a91c7 s3://my-bucket/semaphores/locks/pool",
    },
  ],
  async run(input, output) {
    const address = onlyLockOf(input);
    if (!input.values.flag("force")) {
      throw new UsageError("release ends a hold that is not yours: --force says that this is meant.");
    }
    const { releaseCommand } = await import("../change/release.js");
    return releaseCommand(input, address, output);
  },
};
