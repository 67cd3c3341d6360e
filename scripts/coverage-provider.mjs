// Most of the CLI runs in processes of its own, from `dist`. Node writes what was executed there (NODE_V8_COVERAGE); it is
// carried over to the sources by source map, and counts for a branch of vitest's own list where both begin at the same place.
// What does not match counts for nothing, and a process that is killed writes nothing: so the figures are never too high.
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mergeProcessCovs } from "@bcoe/v8-coverage";
import { V8CoverageProvider } from "@vitest/coverage-v8/dist/provider.js";
import { root } from "./tools.mjs";

const DIST = pathToFileURL(join(root, "dist/")).href;

/** Each kind of count, and where its map says what begins where. */
const KINDS = [
  ["s", "statementMap", (statement) => placeOf(statement)],
  ["f", "fnMap", ({ decl }) => placeOf(decl)],
  ["b", "branchMap", ({ type, loc, locations }) => `${type} ${placeOf(loc)} of ${locations.length}`],
];

export class WithChildren extends V8CoverageProvider {
  #folder = mkdtempSync(join(tmpdir(), "s3-mutex-coverage-"));

  initialize(vitest) {
    super.initialize(vitest);
    // Read by scripts/vitest-setup.ts: the workers themselves are counted by vitest.
    process.env.COVERAGE_OF_CHILDREN = this.#folder;
  }

  async generateCoverage(options) {
    const map = await super.generateCoverage(options);
    for (const { url, functions } of await this.#executed()) {
      const executed = await this.#inSources(url, functions);
      for (const [path, file] of Object.entries(executed)) {
        if (map.files().includes(path)) addCounts(map.fileCoverageFor(path).data, file.data ?? file);
      }
    }
    return map;
  }

  /** What was executed of `dist`, by any process. */
  async #executed() {
    let merged = { result: [] };
    for (const name of await readdir(this.#folder)) {
      const { result } = JSON.parse(await readFile(join(this.#folder, name), "utf8"));
      merged = mergeProcessCovs([merged, { result: result.filter(({ url }) => url.startsWith(DIST)) }]);
    }
    rmSync(this.#folder, { recursive: true, force: true });
    return merged.result;
  }

  async #inSources(url, functions) {
    const path = fileURLToPath(url);
    const [code, map] = await Promise.all([readFile(path, "utf8"), readFile(`${path}.map`, "utf8")]).catch(() => []);
    // Built without a map: the page of the dashboard.
    if (map === undefined) return {};
    const { sources, ...rest } = JSON.parse(map);
    const absolute = { ...rest, sources: sources.map((source) => new URL(source, url).href) };
    return this.remapCoverage(url, 0, { code, map: absolute }, functions);
  }
}

function addCounts(into, from) {
  for (const [counts, map, keyOf] of KINDS) {
    const indexes = new Map(Object.entries(into[map]).map(([index, item]) => [keyOf(item), index]));
    for (const [index, item] of Object.entries(from[map])) {
      const same = indexes.get(keyOf(item));
      if (same !== undefined) into[counts][same] = sum(into[counts][same], from[counts][index]);
    }
  }
}

function sum(one, other) {
  return Array.isArray(one) ? one.map((count, index) => count + other[index]) : one + other;
}

function placeOf({ start }) {
  return `${start.line}:${start.column}`;
}
