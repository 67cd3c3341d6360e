import { dirname, posix } from "node:path";

/**
 * The law of the house: which room (a folder of `src`) may import from which, besides itself and the ground. Each names rooms above
 * it in this table only, so that no arrow runs up and there is no circle. `ground` are {@link GROUND}, `mutex` is the rest of `src/*.ts`.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  ground: [],
  core: [],
  "core/schedule": ["core"],
  "core/transition": ["core"],
  "core/waits": ["core"],
  "core/client": ["core", "core/transition"],
  arguments: ["core"],
  store: ["arguments"],
  "runtime/base": ["core", "store"],
  "store/s3/client": [],
  "store/s3/answers": ["arguments", "store", "store/s3/client"],
  "store/s3/learnt": ["store", "store/s3/client", "store/s3/answers"],
  "store/s3": ["arguments", "store", "store/s3/client", "store/s3/answers", "store/s3/learnt"],
  "runtime/swap": ["core", "core/schedule", "core/transition", "core/client", "store", "runtime/base"],
  "runtime/check": ["core", "store", "runtime/base", "runtime/swap"],
  "runtime/hold": ["core", "core/transition", "core/waits", "core/client", "runtime/base", "runtime/swap"],
  "runtime/scopes": ["core", "runtime/base", "runtime/hold"],
  "runtime/shares": ["core", "core/transition", "runtime/base", "runtime/swap"],
  "runtime/acquire": [
    "core",
    "core/schedule",
    "core/transition",
    "core/waits",
    "core/client",
    "runtime/base",
    "runtime/swap",
    "runtime/check",
    "runtime/hold",
    "runtime/scopes",
    "runtime/shares",
  ],
  "runtime/inspect": ["core", "core/transition", "store", "runtime/base", "runtime/swap"],
  "runtime/fenced": ["core", "core/transition", "store", "runtime/base", "runtime/swap"],
  options: ["core", "arguments", "store", "runtime/base", "store/s3/client"],
  "primitives/fenced": ["core", "arguments", "runtime/base", "runtime/hold", "runtime/fenced"],
  primitives: [
    "core",
    "core/schedule",
    "arguments",
    "runtime/base",
    "runtime/swap",
    "runtime/hold",
    "runtime/scopes",
    "runtime/acquire",
    "runtime/inspect",
    "options",
    "primitives/fenced",
  ],
  "primitives/semaphore": [
    "core",
    "arguments",
    "runtime/base",
    "runtime/swap",
    "runtime/scopes",
    "runtime/shares",
    "runtime/acquire",
    "runtime/inspect",
    "primitives",
  ],
  "primitives/once": [
    "core",
    "core/transition",
    "arguments",
    "runtime/base",
    "runtime/scopes",
    "runtime/fenced",
    "options",
    "primitives/fenced",
    "primitives",
  ],
  "primitives/election": [
    "core",
    "arguments",
    "runtime/base",
    "runtime/swap",
    "runtime/hold",
    "runtime/scopes",
    "runtime/inspect",
    "primitives",
  ],
  "compat-1x": [
    "core",
    "core/transition",
    "arguments",
    "runtime/base",
    "runtime/swap",
    "runtime/hold",
    "runtime/scopes",
    "runtime/acquire",
    "runtime/inspect",
    "options",
    "primitives",
  ],
  "verify/examination": ["store", "runtime/base", "store/s3/client", "store/s3/answers", "store/s3/learnt", "store/s3"],
  "verify/checks": ["arguments", "store", "store/s3/answers", "store/s3/learnt", "verify/examination"],
  "verify/races": ["verify/examination"],
  verify: [
    "arguments",
    "store",
    "runtime/base",
    "store/s3/client",
    "options",
    "verify/examination",
    "verify/checks",
    "verify/races",
  ],
  mutex: [
    "core",
    "arguments",
    "store",
    "runtime/base",
    "store/s3/client",
    "store/s3",
    "runtime/check",
    "runtime/scopes",
    "runtime/shares",
    "runtime/acquire",
    "runtime/inspect",
    "options",
    "primitives/fenced",
    "primitives",
    "primitives/semaphore",
    "primitives/once",
    "primitives/election",
    "compat-1x",
    "verify/examination",
    "verify",
  ],
  port: ["mutex"],
  "web-locks": ["core", "arguments", "runtime/base", "runtime/hold", "options", "primitives", "mutex"],
  otel: ["arguments", "mutex"],
  fetch: ["arguments", "store", "runtime/base", "store/s3/client", "store/s3/answers", "store/s3/learnt"],
  r2: ["arguments", "store", "runtime/base", "store/s3/client"],
  "testing/server/wire": [],
  "testing/server/faults": ["arguments", "testing/server/wire"],
  "testing/server/buckets": ["testing/server/wire", "testing/server/faults"],
  "testing/server/operations": ["testing/server/wire", "testing/server/faults", "testing/server/buckets"],
  "testing/server": [
    "arguments",
    "testing/server/wire",
    "testing/server/faults",
    "testing/server/buckets",
    "testing/server/operations",
  ],
  "testing/conformance": [
    "arguments",
    "store",
    "runtime/base",
    "store/s3/client",
    "store/s3",
    "options",
    "primitives",
    "primitives/semaphore",
    "mutex",
  ],
  "testing/virtual": [
    "arguments",
    "store",
    "runtime/base",
    "store/s3/answers",
    "options",
    "mutex",
    "testing/server/wire",
    "testing/server/faults",
  ],
  testing: [
    "store",
    "runtime/base",
    "testing/server/wire",
    "testing/server/faults",
    "testing/server",
    "testing/conformance",
    "testing/virtual",
  ],
  "cli/base": ["arguments"],
  "cli/store": ["core", "arguments", "mutex", "cli/base"],
  "cli/process": ["mutex", "cli/base"],
  "cli/man": ["cli/base"],
  "cli/completion": ["core", "store/s3/client", "cli/base", "cli/store"],
  "cli/policy": ["arguments", "cli/base", "cli/store"],
  "cli/inspect": [
    "core",
    "store/s3/client",
    "store/s3/learnt",
    "runtime/swap",
    "mutex",
    "cli/base",
    "cli/store",
    "cli/process",
  ],
  "cli/change": ["mutex", "cli/base", "cli/store", "cli/inspect"],
  "cli/graph": ["core", "core/waits", "mutex", "cli/base", "cli/store", "cli/inspect"],
  "cli/run": ["core", "mutex", "cli/base", "cli/store", "cli/process", "cli/inspect"],
  "cli/once": ["mutex", "cli/base", "cli/process", "cli/run"],
  "cli/elect": ["mutex", "cli/base", "cli/process", "cli/run"],
  "cli/bench": ["store/s3/client", "mutex", "cli/base", "cli/store", "cli/process"],
  "cli/doctor": ["store/s3/client", "mutex", "cli/base", "cli/store", "cli/process"],
  "cli/demo": ["mutex", "testing", "cli/base"],
  "cli/serve": ["testing", "cli/base"],
  "cli/ui": ["mutex", "cli/base"],
  "cli/ui/page/base": ["cli/ui"],
  "cli/ui/page/views": ["core", "core/waits", "cli/ui", "cli/ui/page/base"],
  "cli/ui/page": ["cli/ui/page/base", "cli/ui/page/views"],
  "cli/commands": [
    "arguments",
    "cli/base",
    "cli/store",
    "cli/process",
    "cli/man",
    "cli/completion",
    "cli/policy",
    "cli/inspect",
    "cli/change",
    "cli/graph",
    "cli/run",
    "cli/once",
    "cli/elect",
    "cli/bench",
    "cli/doctor",
    "cli/demo",
    "cli/serve",
    "cli/ui",
  ],
  cli: ["arguments", "cli/base", "cli/store", "cli/process", "cli/commands"],
};

/** Every room may import these, and they import nothing of another room. */
export const GROUND: readonly string[] = [
  "src/errors.ts",
  "src/printable.ts",
  "src/process-wide.ts",
  "src/shown.ts",
  "src/version.ts",
];

/** Rooms that take nothing from outside the project: no package, nothing of Node. */
export const PURE: readonly string[] = ["core", "core/schedule", "core/transition", "core/waits", "core/client"];

/** In a folder with more a reader finds nothing. */
export const MOST_FILES = 15;

/** One file a command: here a list is the order that helps. */
export const LISTS: readonly string[] = ["cli/commands"];

/** Names the room that a source file is in. */
export function roomOf(path: string): string {
  if (GROUND.includes(path)) return "ground";
  return dirname(path).replace(/^src\/?/, "") || "mutex";
}

/** Lists all that a source imports, types included. */
export function specifiersIn(code: string): readonly string[] {
  const found = code.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g);
  return [...found].map(([, specifier]) => specifier ?? "");
}

/** Finds the source that a relative specifier leads to; undefined for packages and what Node has. */
export function targetOf(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return posix.join(dirname(path), specifier.replace(/\.js$/, ".ts"));
}

/** Lists the imports of a source that the law forbids. */
export function refusedIn(path: string, code: string): readonly string[] {
  const room = roomOf(path);
  const isPure = PURE.includes(room) || room === "ground";
  return specifiersIn(code).filter((specifier) => {
    const target = targetOf(path, specifier);
    if (target === undefined) return PURE.includes(room);
    const other = roomOf(target);
    if (other === room) return false;
    return other === "ground" ? isPure : !MAY_IMPORT[room]?.includes(other);
  });
}

/** Finds files that import one another in a circle, types included: each with those that it cannot be understood without. */
export function circlesAmong(sources: ReadonlyMap<string, string>): readonly (readonly string[])[] {
  const arrows = new Map(
    [...sources].map(([path, code]) => [
      path,
      specifiersIn(code)
        .flatMap((specifier) => targetOf(path, specifier) ?? [])
        .filter((other) => sources.has(other)),
    ]),
  );
  const reachableFrom = (path: string) => {
    const seen = new Set<string>();
    const todo = [...(arrows.get(path) ?? [])];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      todo.push(...(arrows.get(next) ?? []));
    }
    return seen;
  };
  const reach = new Map([...sources.keys()].map((path) => [path, reachableFrom(path)]));
  const circles = [...reach].flatMap(([path, seen]) =>
    seen.has(path)
      ? [[path, ...[...seen].filter((other) => other !== path && reach.get(other)?.has(path))].toSorted()]
      : [],
  );
  return [...new Map(circles.map((circle) => [circle.join(), circle])).values()];
}
