import { readdirSync } from "node:fs";
import { join } from "node:path";

import type { Explained } from "./explain.js";
import { OF_CORE } from "./explained/core.js";
import { OF_RUNTIME } from "./explained/runtime.js";
import { OF_STORE } from "./explained/store-s3.js";
import { ROOT } from "./root.js";

/** Code that is broken by rule, and the tests that have to notice. Paths begin at the root of the repository. */
export interface Area {
  /** What it is called after `--of`. */
  readonly name: string;
  readonly folder: string;
  readonly files: readonly string[];
  readonly specs: readonly string[];
  readonly explained: readonly Explained[];
  /** In percent: of each file, or of all together. */
  readonly leastScore: { readonly of: "each" | "all"; readonly percent: number };
}

/** What of `src/runtime` counts time and asks again. */
const OF_RUNTIME_FILES = [
  "base/store-clock",
  "swap/write-log",
  "swap/retry-budget",
  "hold/cancel",
  "hold/lease",
  "hold/lease-clock",
  "hold/lease-timer",
  "acquire/confirm",
  "acquire/restore",
  "hold/standing",
  "hold/loss",
  "hold/renewals",
  "swap/marker-commands",
];

export const AREAS: readonly Area[] = [
  {
    name: "core",
    folder: "src/core",
    files: sourcesIn("src/core"),
    specs: testsIn("src/core"),
    explained: OF_CORE,
    leastScore: { of: "each", percent: 95 },
  },
  {
    name: "store/s3",
    folder: "src/store/s3",
    files: sourcesIn("src/store/s3"),
    specs: testsIn("src/store/s3"),
    explained: OF_STORE,
    leastScore: { of: "all", percent: 95 },
  },
  {
    name: "runtime",
    folder: "src/runtime",
    files: OF_RUNTIME_FILES.map((name) => `src/runtime/${name}.ts`),
    // All but the one that measures real time.
    specs: testsIn("src/runtime").filter((spec) => !spec.endsWith("/waiting-order.spec.ts")),
    explained: OF_RUNTIME,
    leastScore: { of: "each", percent: 95 },
  },
];

function sourcesIn(folder: string): readonly string[] {
  return namesIn(folder).filter((name) => !name.endsWith(".spec.ts"));
}

function testsIn(folder: string): readonly string[] {
  return namesIn(folder).filter((name) => /\.(?:spec|test)\.ts$/.test(name));
}

function namesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .sort();
}
