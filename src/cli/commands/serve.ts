import { isNewName } from "../../arguments/bucket-names.js";
import type { Command, Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import type { Output } from "../base/output.js";
import { UsageError } from "../base/usage-error.js";
import { askedToEnd } from "../process/signals.js";
import type { ServeSettings } from "../serve/start.js";

const DEFAULT_PORT = 9000;
const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_BUCKET = "local";

export const serve: Command = {
  usage: ["serve [options]"],
  about: `
Starts an S3 server in this process, the one of s3-mutex/testing: to try locks on, for development
and for tests. It takes any credentials and is not a place for data that matters.`,
  options: {
    port: { type: "string", value: "N", help: `Where to listen; 0 for any free port (default: ${DEFAULT_PORT})` },
    host: { type: "string", value: "ADDRESS", help: `On which address (default: ${DEFAULT_HOST}, this machine only)` },
    data: {
      type: "string",
      value: "FOLDER",
      help: "Keep everything in this folder (default: in memory, gone at the end)",
    },
    bucket: {
      type: "string",
      value: "NAME",
      multiple: true,
      help: `A bucket to make; may be repeated (default: ${DEFAULT_BUCKET})`,
    },
    latency: { type: "string", value: "DURATION", help: "Added to every request, such as 20ms (default: none)" },
    json: { type: "boolean", help: "Print the address as one line of JSON" },
  },
  examples: [
    { about: "Start it; it prints what to paste into another shell", line: "s3-mutex serve" },
    {
      about: "Keep what it holds, make two buckets, be as slow as S3",
      line: "s3-mutex serve --data ./s3 --bucket a --bucket b --latency 20ms",
    },
  ],
  async run(input, output) {
    const { values, positionals } = input;
    if (positionals.length > 0) throw new UsageError(`serve takes no arguments, and ${positionals[0]} is one.`);
    const settings = settingsOf(input);
    const { startServer } = await import("../serve/start.js");
    // To stop it is what these signals are for: they are not a failure.
    const stopped = askedToEnd();
    const server = await startServer(settings);
    if (values.flag("json")) {
      const { endpoint, port } = server;
      output.json({ endpoint, port, buckets: settings.buckets, ...server.clientConfig().credentials });
    } else {
      introduce(server.endpoint, settings, input.environment["npm_command"] === "exec", output);
    }
    await stopped;
    await server.close();
    return EXIT.ok;
  },
};

function settingsOf({ values }: Input): ServeSettings {
  const buckets = values.texts("bucket");
  const unfit = buckets.find((bucket) => bucket.includes(":") || !isNewName(bucket));
  if (unfit !== undefined) {
    const rule = "3 to 63 of a-z, 0-9, dots and hyphens, beginning and ending with a letter or digit";
    throw new UsageError(`--bucket ${JSON.stringify(unfit)} is not the name of a bucket: S3 allows ${rule}.`);
  }
  return {
    port: values.wholeNumber("port", { min: 0, max: 65_535 }) ?? DEFAULT_PORT,
    host: values.word("host") ?? DEFAULT_HOST,
    dataFolder: values.word("data"),
    buckets: buckets.length === 0 ? [DEFAULT_BUCKET] : buckets,
    latencyMs: values.duration("latency") ?? 0,
  };
}

function introduce(
  endpoint: string,
  { buckets, dataFolder, host }: ServeSettings,
  isUnderNpx: boolean,
  output: Output,
): void {
  const { paint } = output;
  const [bucket = DEFAULT_BUCKET] = buckets;
  const kept = dataFolder === undefined ? "in memory, gone when it stops" : `kept in ${dataFolder}`;
  const what = `${buckets.length === 1 ? "bucket" : "buckets"} ${buckets.join(", ")}`;
  output.line(`${paint("bold", `S3 server on ${endpoint}`)}, ${what}, ${kept}. Ctrl-C stops it.`);
  output.line();
  output.line("Paste this into another shell:");
  output.line();
  const variables = {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
    S3_MUTEX_STORE: `s3://${bucket}/locks/`,
  };
  for (const [name, value] of Object.entries(variables)) output.line(paint("cyan", `  export ${name}=${value}`));
  output.line();
  output.line("and try:");
  output.line();
  // What npx has run is in no PATH but its own.
  const program = isUnderNpx ? "npx s3-mutex" : "s3-mutex";
  output.line(paint("cyan", `  ${program} run nightly -- sh -c 'echo "token $S3_MUTEX_FENCING_TOKEN"; sleep 5'`));
  if (!["127.0.0.1", "localhost", "::1"].includes(host)) {
    output.note(`any machine that reaches ${host} can read and write here: no credentials are checked.`);
  }
}
