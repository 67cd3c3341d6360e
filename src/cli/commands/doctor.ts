import type { Command } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { LOOK_OPTIONS, storeAt } from "../store/store-options.js";

/** More would take hours. */
const MAX_ROUNDS = 100_000;

export const doctor: Command = {
  usage: ["doctor [options] [s3://BUCKET/PREFIX/]"],
  about: `
Examines whether a store is safe to lock on, by trying: conditional writes with outdated, missing and
current versions, races of many writers, reads and listings right after writes, permissions, the store's
clock, latency, versioning. It takes some ten seconds and a few thousand requests on a store that answers
within milliseconds, up to a minute on a slow one, and two at most; on a terminal it says how far it
is. It writes only keys that no lock has, and removes them. A race that a store loses once in a thousand
rounds needs more rounds than fit into seconds: --rounds, which has as much more time.

Exit codes: ${EXIT.ok} locks are safe here, whatever the warnings; ${EXIT.failed} they are not, or --strict and there
were warnings; ${EXIT.store} nothing could be examined; ${EXIT.usage} usage.`,
  options: {
    rounds: { type: "string", value: "N", help: "Rounds of each race (default: what fits into seconds, 20 to 400)" },
    gateway: {
      type: "string",
      value: "URL",
      multiple: true,
      help: "Another endpoint of the same store, to race across; may be repeated",
    },
    lease: { type: "string", value: "DURATION", help: "The lease that latency is compared with (default: 60s)" },
    tolerance: { type: "string", value: "DURATION", help: "How far clocks of the store may be apart (default: 1s)" },
    strict: { type: "boolean", help: `Warnings count: exit with ${EXIT.failed}` },
    json: { type: "boolean", help: "Print the report as one line of JSON" },
    ...LOOK_OPTIONS,
  },
  examples: [
    { about: "Is this bucket safe to lock on?", line: "s3-mutex doctor s3://my-bucket/locks/" },
    {
      about: "A store of your own with two gateways, for ten minutes or so",
      line: "s3-mutex doctor --rounds 20000 --endpoint-url http://a:9000 --gateway http://b:9000 s3://my-bucket",
    },
    {
      about: "What is wrong with it, for a script",
      line: `s3-mutex doctor --json | jq -r '.checks[] | select(.verdict == "fail") | .id'`,
    },
  ],
  async run(input, output) {
    const { values } = input;
    const store = storeAt(input);
    const settings = {
      rounds: values.wholeNumber("rounds", { min: 1, max: MAX_ROUNDS }),
      gateways: values.texts("gateway"),
      lockTimeoutMs: values.duration("lease", { min: 100 }),
      clockSkewToleranceMs: values.duration("tolerance"),
    };
    const { doctorCommand } = await import("../doctor/examine.js");
    return doctorCommand(input, store, settings, output);
  },
};
