import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { cli, newFolder, startCli } from "./cli.js";
import { cliHere } from "./here.js";
import { listenNoLongerThanTheirTest } from "./listeners.js";

listenNoLongerThanTheirTest();

/** Parses the lines to paste, as an environment. */
function exported(stdout: string): Record<string, string> {
  return Object.fromEntries(
    [...stdout.matchAll(/^ *export (\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "it says how to use it, is used like that, and ends on %s",
  async (signal) => {
    const server = startCli(["serve", "--port", "0"]);
    await server.says(/s3-mutex run nightly/);
    const environment = exported(server.stdout);
    expect(Object.keys(environment)).toEqual([
      "AWS_ENDPOINT_URL_S3",
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_REGION",
      "S3_MUTEX_STORE",
    ]);
    const run = await cli(["run", "nightly", "--", "echo", "ran"], environment);
    expect(run).toEqual({ exitCode: 0, signal: null, stdout: "ran\n", stderr: "" });
    server.process.kill(signal);
    expect(await server.ended).toMatchObject({ exitCode: 0, stderr: "" });
  },
);

test.each(["/proc/nope", "/dev/null", "/dev/null/below", "/sys"])(
  "C6: a data folder that cannot be written (%s) is a usage error at once",
  { skip: process.platform !== "linux" },
  async (folder) => {
    const { exitCode, stdout, stderr } = await cli(["serve", "--port", "0", "--json", "--data", folder]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^s3-mutex: --data \/\w+.* cannot be used \(E[A-Z]+: .*\): name a folder .*\n$/);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  },
);

test("a data folder outlives the server; buckets are made, and JSON is for programs", async () => {
  const folder = newFolder();
  const tokens: number[] = [];
  for (const _ of [1, 2]) {
    const server = startCli(["serve", "--port", "0", "--data", folder, "--bucket", "one", "--bucket", "two", "--json"]);
    const [line] = await server.says(/\{.*\}\n/);
    const { endpoint, buckets, accessKeyId, secretAccessKey } = JSON.parse(line);
    expect(buckets).toEqual(["one", "two"]);
    const environment = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const args = [
      "run",
      "--endpoint-url",
      endpoint,
      "s3://two/locks/a",
      "--",
      "sh",
      "-c",
      "echo $S3_MUTEX_FENCING_TOKEN",
    ];
    tokens.push(Number((await cli(args, environment)).stdout));
    const stored = (await (await fetch(`${endpoint}/two/locks/a.json`)).json()) as { readonly recent: unknown };
    expect(stored.recent).toHaveLength(tokens.length);
    server.process.kill("SIGTERM");
    await server.ended;
  }
  expect(tokens[1]).toBeGreaterThan(tokens[0] ?? Number.NaN);
});

test("a port that is taken is one clear sentence", async () => {
  const occupant = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void occupant.close());
  await new Promise((resolve) => occupant.once("listening", resolve));
  const { port } = occupant.address() as AddressInfo;
  const { exitCode, stdout, stderr } = await cli(["serve", "--port", String(port)]);
  const message = `s3-mutex: port ${port} on 127.0.0.1 is taken: use another --port, or --port 0 for any that is free.\n`;
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 1, stdout: "", stderr: message });
});

test("latency is added to every request", async () => {
  const server = startCli(["serve", "--port", "0", "--latency", "150ms", "--json"]);
  const [line] = await server.says(/\{.*\}\n/);
  const { endpoint } = JSON.parse(line);
  const sentMs = performance.now();
  await fetch(`${endpoint}/local/nothing`);
  // Timers are allowed to be early by a millisecond, twice.
  expect(performance.now() - sentMs).toBeGreaterThanOrEqual(148);
});

test.each([
  [["--port", "99999"], "--port"],
  [["--latency", "fast"], "--latency"],
  [["--bucket", "No_Such_Name"], "bucket"],
  [["extra"], "serve takes no arguments"],
])("usage: %j", async (args, message) => {
  const { exitCode, stderr } = await cliHere(["serve", "--port", "0", ...args]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
});
