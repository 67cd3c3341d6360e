import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const CORE = "src/core";

/** The files of core or their specs, from the root of the repository, in order. */
export function filesOfCore(kind: "source" | "spec"): readonly string[] {
  return readdirSync(join(ROOT, CORE), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && name.endsWith(".spec.ts") === (kind === "spec"))
    .map((name) => `${CORE}/${name.replaceAll("\\", "/")}`)
    .sort();
}
