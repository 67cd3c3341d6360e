import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { BenchCase } from "../../case.js";
import { BUCKET_NAME } from "../../contestants/library.js";
import { atMost, exactly, figure } from "../../figures.js";
import type { BenchServer } from "../../server/bench-server.js";

const LATENCY_MS = 20;
const LOCKS = 5000;
const MAIN = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
/** Says at the end how much memory the process had at most, in KB. */
const REPORTER = `process.on("exit", () => require("fs").writeSync(2, "peak " + process.resourceUsage().maxRSS + "\\n"));`;

export const listLocks: BenchCase = {
  name: "list-locks",
  issue: 7,
  title: "`s3-mutex ls` of 5,000 locks, 20 ms round trip",
  async run(bench) {
    const server = await bench.server(LATENCY_MS);
    await server.call.plantLocks(LOCKS);
    const runs: Listing[] = [];
    for (let round = 0; round < bench.rounds(5); round += 1) {
      const listing = await list(server);
      bench.say(`${(listing.elapsedMs / 1000).toFixed(1)} s, ${listing.peakMb.toFixed(0)} MB`);
      runs.push(listing);
    }
    return [
      figure({
        name: "locks shown",
        unit: "",
        measured: runs.map(({ lines }) => lines - 1),
        target: exactly(LOCKS),
        strict: true,
      }),
      figure({
        name: "from start to exit",
        unit: "s",
        better: "lower",
        measured: runs.map(({ elapsedMs }) => elapsedMs / 1000),
        target: atMost(10),
      }),
      figure({
        name: "memory at most",
        unit: "MB",
        better: "lower",
        measured: runs.map(({ peakMb }) => peakMb),
        target: atMost(200),
      }),
    ];
  },
};

interface Listing {
  readonly lines: number;
  readonly elapsedMs: number;
  readonly peakMb: number;
}

async function list({ clientConfig }: BenchServer): Promise<Listing> {
  const { endpoint, credentials } = clientConfig;
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`import { createRequire } from "module"; const require = createRequire("/"); ${REPORTER}`)}`,
  };
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [MAIN, "ls", `s3://${BUCKET_NAME}/locks/`], { env });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    said.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.stderr += chunk;
  });
  await once(child, "close");
  const peakKb = /^peak (\d+)$/m.exec(said.stderr)?.[1];
  if (peakKb === undefined) throw new Error(`the listing failed: ${said.stderr}`);
  return {
    lines: said.stdout.trimEnd().split("\n").length,
    elapsedMs: performance.now() - startedAtMs,
    peakMb: Number(peakKb) / 1024,
  };
}
