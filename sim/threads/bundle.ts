import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Inside of the project, where its packages are found from. */
const FOLDER = join(ROOT, "node_modules", ".cache", "s3-mutex");

/** One file of JavaScript, made of sources in TypeScript. */
export interface Bundle {
  readonly path: string;
  remove(): void;
}

/**
 * Translates once for many seeds: what runs TypeScript as it is gives each function its name whenever that is made, which is a tenth of a
 * run's time.
 */
export async function bundleOf(source: string): Promise<Bundle> {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `sim-${process.pid}.mjs`);
  await build({
    entryPoints: [join(ROOT, source)],
    outfile: path,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "error",
  });
  return { path, remove: () => rmSync(path, { force: true }) };
}
