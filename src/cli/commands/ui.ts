import type { Command, Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { UsageError } from "../base/usage-error.js";
import { createLog } from "../process/log.js";
import { askedToEnd } from "../process/signals.js";
import { accessTo } from "../store/store-access.js";
import { locksOf, NAME_OPTIONS } from "../store/store-options.js";
import type { DashboardSettings } from "../ui/run-dashboard.js";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_INTERVAL_MS = 1000;
const MIN_INTERVAL_MS = 250;
const LOOPBACK = /^(localhost|::1|127(\.\d{1,3}){3})$/;

export const ui: Command = {
  usage: ["ui [options] [s3://BUCKET/PREFIX/NA]", "ui [options] [NA]"],
  about: `
Serves a dashboard of the locks whose names start with NA, or all, to this machine's browsers: who holds
what, who waits for whom, who held it before. It prints an address with a token in it; a browser that has it
may look, and end holds by force unless it is read-only.

The store is read once for all pages that are open, and not at all while there is none: a LIST for each
thousand locks and a GET for each that has changed, every second.

Ctrl-C ends it. Exit codes: ${EXIT.ok} it was ended; ${EXIT.failed} it cannot listen there; ${EXIT.usage} usage.`,
  options: {
    port: { type: "string", value: "N", help: "Where to listen (default: any that is free)" },
    host: { type: "string", value: "ADDRESS", help: `On which address (default: ${DEFAULT_HOST}, this machine only)` },
    "allow-remote": {
      type: "boolean",
      help: "Allow a --host that others can reach: the token crosses the network unencrypted",
    },
    "read-only": { type: "boolean", help: "Refuse to change anything" },
    interval: { type: "string", value: "DURATION", help: "Between two polls of the store (default: 1s)" },
    json: { type: "boolean", help: "Print the address as one line of JSON" },
    ...NAME_OPTIONS,
  },
  examples: [
    { about: "All locks of a store; open what it prints", line: "s3-mutex ui s3://my-bucket/locks/" },
    { about: "To see and not to change, at a port of your own", line: "s3-mutex ui --read-only --port 8080 team/" },
    { about: "From a server, through SSH: ssh -L 8080:127.0.0.1:8080 server", line: "s3-mutex ui --port 8080" },
  ],
  async run(input, output) {
    const settings = settingsOf(input, output);
    // To stop it is what these signals are for: they are not a failure.
    const stopped = askedToEnd();
    const { openDashboard } = await import("../ui/run-dashboard.js");
    const dashboard = await openDashboard(settings);
    if (input.values.flag("json")) output.json({ url: dashboard.url, readOnly: settings.isReadOnly });
    else introduce(dashboard.url, settings, output);
    await stopped;
    await dashboard.close();
    return EXIT.ok;
  },
};

function settingsOf(input: Input, output: Output): DashboardSettings {
  const { values } = input;
  const { namePrefix, ...address } = locksOf(input);
  const host = values.word("host") ?? DEFAULT_HOST;
  if (!LOOPBACK.test(host) && !values.flag("allow-remote")) {
    throw new UsageError(`--host ${host} can be reached by others: forward a port with ssh -L, or add --allow-remote.`);
  }
  return {
    mutex: {
      ...accessTo(input, address),
      logger: createLog(input.isDebugging, output).logger,
    },
    namePrefix,
    storeName: `s3://${address.bucketName}/${address.keyPrefix}${namePrefix}`,
    host,
    port: values.wholeNumber("port", { min: 0, max: 65_535 }) ?? 0,
    intervalMs: values.duration("interval", { min: MIN_INTERVAL_MS }) ?? DEFAULT_INTERVAL_MS,
    isReadOnly: values.flag("read-only"),
  };
}

function introduce(url: string, { storeName, isReadOnly, host }: DashboardSettings, output: Output): void {
  output.line(
    `${output.paint("bold", `Dashboard of ${storeName}`)}${isReadOnly ? ", read-only" : ""}. Ctrl-C ends it.`,
  );
  output.line();
  output.line(`  ${output.paint("cyan", url)}`);
  output.line();
  if (!LOOPBACK.test(host)) output.note("a machine that sees the traffic sees the token: it is not encrypted.");
}
