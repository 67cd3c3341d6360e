import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Catch } from "./hunt.js";
import type { NamedTest } from "./mutant.js";

/** What of the report of vitest is read. */
interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

/** Runs the tests of that name in the folder of a mutant. Only a test that ran and failed has caught it. */
export async function huntByTest({ test, named }: NamedTest, folder: string, timeoutMs: number): Promise<Catch> {
  const projects = test.startsWith("test/processes/") ? ["proof"] : ["unit", "slow"];
  const chosen = projects.flatMap((project) => ["--project", project]);
  const args = ["run", ...chosen, test, "-t", named];
  const first = await runOf([...args, "--bail=1"], folder, timeoutMs);
  // Tests that run at once may lose their results where the first that fails ends the run (vitest 4.1).
  const run = first?.failed === undefined ? await runOf(args, folder, timeoutMs) : first;
  if (run === undefined) return { caught: false, after: "no report", by: "nothing" };
  const { failed, ran } = run;
  const after = ran === 0 ? "no test ran" : `${ran} ${ran === 1 ? "test" : "tests"}`;
  if (failed !== undefined) return { caught: true, after, by: JSON.stringify(failed.title) };
  return { caught: false, after, by: "nothing" };
}

/** Gives how many tests ran, and one that failed. */
async function runOf(args: readonly string[], folder: string, timeoutMs: number) {
  const report = await reportOf(args, folder, timeoutMs);
  if (report === undefined) return undefined;
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const ran = results.filter(({ status }) => status === "failed" || status === "passed").length;
  return { ran, failed: results.find(({ status }) => status === "failed") };
}

function reportOf(args: readonly string[], folder: string, timeoutMs: number): Promise<Report | undefined> {
  const vitest = join(folder, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, ...args, "--reporter=json", "--maxWorkers=1", "--retry=0"], {
    cwd: folder,
    env: { ...process.env, TESTS_IN_FULL: "yes" },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: timeoutMs,
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on("close", () => {
      const start = output.indexOf("{");
      try {
        resolve(start === -1 ? undefined : (JSON.parse(output.slice(start)) as Report));
      } catch {
        resolve(undefined);
      }
    });
  });
}
