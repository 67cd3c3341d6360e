import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Makes the folder where what was downloaded and compiled is kept, so that a second run is quick. */
export function cacheFolder(...parts: readonly string[]): string {
  const base =
    process.env["S3_MUTEX_STORES_CACHE"] ||
    join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "s3-mutex-stores");
  const folder = join(base, ...parts);
  mkdirSync(folder, { recursive: true });
  return folder;
}
