import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../stores/host/cache.js";
import { runCommand } from "../../stores/host/commands.js";

/** Exact: what is said of workerd in docs/guide/edge.md was seen with these. miniflare brings its workerd along. */
const MINIFLARE = "4.20260730.0";
const PACKAGES = { miniflare: MINIFLARE, aws4fetch: "1.0.20" };

export const WORKERD = {
  name: "workerd",
  version: `miniflare ${MINIFLARE}`,
  tried:
    "`s3-mutex/port`: the conformance suite over `s3-mutex/fetch` and over the binding of R2 (which miniflare simulates), races of 12 requests, locks past the end of a request",
};

/** Installs miniflare, and gives the folder; rejects where it cannot be installed. */
export async function installMiniflare(): Promise<string> {
  const folder = cacheFolder("workerd", MINIFLARE);
  const complete = join(folder, "complete");
  if (!existsSync(complete)) {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: PACKAGES }));
    // Its own scripts only fetch what npm has brought along already. The Node that runs npm need not be the one that runs it.
    const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--engine-strict=false"];
    await runCommand("npm", ["install", ...flags], { cwd: folder });
    writeFileSync(complete, "");
  }
  return folder;
}

/** Runs worker/host.mjs in a project that has the package. @param node Node 22 or later, which miniflare wants */
export async function tryWorkerd(node: string, tools: string, esbuild: string, project: string): Promise<void> {
  const printed = await runCommand(node, [join("worker", "host.mjs"), esbuild, tools], { cwd: project, minutes: 6 });
  if (!/^workerd passed$/m.test(printed)) throw new Error(printed.trim());
}
