import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT, run } from "./installed.js";

/** Each rule that keeps the core pure, and the world out of all but the edge: a snippet that breaks it, where, and what it is told. */
interface Case {
  readonly path: string;
  readonly code: string;
  /** Part of the message; without it, nothing may be said. */
  readonly says?: string;
}

const reads = (global: string, says: string): Case => ({
  path: "src/core/x.ts",
  code: `export const x = ${global};`,
  says,
});
const PURITY: readonly Case[] = [
  reads("Date.now()", "take the time as an argument"),
  reads("new Date(0)", "take the time as an argument"),
  reads("performance.now()", "take the time as an argument"),
  reads("setTimeout(() => {}, 1)", "return the delay; runtime waits with `effects.setTimer`"),
  reads("setInterval(() => {}, 1)", "return the delay; runtime waits with `effects.setTimer`"),
  reads("setImmediate(() => {})", "return a decision"),
  reads("queueMicrotask", "return a decision"),
  reads("process.pid", "take what is needed as an argument"),
  reads("globalThis.Date", "take what is needed as an argument"),
  reads("console", "runtime has a logger"),
  reads("crypto.randomUUID()", "arrive in the command"),
  reads('fetch("x")', "no I/O"),
  reads("AbortSignal.timeout(1)", "return a decision"),
  reads('Buffer.from("x")', "TextEncoder"),
  reads("Math.random()", "Use `effects.random()`"),
  { path: "src/core/x.ts", code: "const { random } = Math;\nexport const x = random;", says: "Use `effects.random()`" },
  { path: "src/core/x.ts", code: 'export const x: import("../errors.js").X = 1;', says: "Write `import type" },
  { path: "src/core/x.ts", code: "export const x = (now: number): number => Math.max(now, 1);" },
];

const AMBIENCE: readonly Case[] = ["src/mutex.ts", "src/store/s3/x.ts", "src/runtime/x.ts", "src/verify/x.ts"].flatMap(
  (path) => [
    { path, code: "export const x = Date.now();", says: "Use `effects.wallMs()`" },
    { path, code: "export const x = new Date();", says: "use `effects.wallMs()`" },
    { path, code: "export const x = Date();", says: "use `effects.wallMs()`" },
    { path, code: "export const x = performance.now();", says: "`effects.monotonicMs()`" },
    { path, code: "export const x = process.pid;", says: "`effects.pid`" },
    { path, code: "setTimeout(() => {}, 1);", says: "`effects.setTimer()`" },
    { path, code: "setInterval(() => {}, 1);", says: "intervals overlap" },
    { path, code: "export const x = AbortSignal.timeout(1);", says: "Use `effects.setTimer()`" },
    { path, code: "export const x = Math.random();", says: "Use `effects.random()`" },
    { path, code: "export const x = crypto.randomUUID();", says: "`effects.newId()`" },
    { path, code: 'console.log("x");', says: "a library does not print" },
    {
      path,
      code: 'import { randomUUID } from "node:crypto";\nexport const x = randomUUID();',
      says: "`effects.newId()`",
    },
    {
      path,
      code: 'import { setTimeout as sleep } from "node:timers/promises";\nawait sleep(1);',
      says: "`effects.setTimer()`",
    },
    {
      path,
      code: 'import { performance } from "node:perf_hooks";\nexport const x = performance.now();',
      says: "monotonicMs",
    },
    { path, code: 'import { hostname } from "node:os";\nexport const x = hostname();', says: "`effects.host`" },
    { path, code: 'import { createHash } from "node:crypto";\nexport const x = createHash("md5");' },
    { path, code: "export const x = (text: string): number => Date.parse(text);" },
    { path, code: "export const x = (ms: number): string => new Date(ms).toISOString();" },
  ],
);

const REAL = "export const x = [Date.now(), Math.random(), performance.now(), process.pid, setTimeout];";
const EXEMPT: readonly Case[] = ["src/runtime/base/effects.ts", "src/testing/x.ts", "src/cli/x.ts"].map((path) => ({
  path,
  code: REAL,
}));

const STYLE: readonly Case[] = [
  { path: "src/x.ts", code: "async function work(): Promise<void> {}\nwork();", says: "floating" },
  { path: "src/x.ts", code: "export default 1;", says: "default export" },
  { path: "src/x.ts", code: 'export * from "./mutex.js";', says: "lint/performance" },
  { path: "src/x.ts", code: "export const x = (a?: string): number => a!.length;", says: "noNonNullAssertion" },
  { path: "src/x.ts", code: 'import { join } from "path";\nexport const x = join;', says: "useNodejsImportProtocol" },
  {
    path: "src/x.ts",
    code: `export function x(): void {${"\n  x();".repeat(71)}\n}`,
    says: "noExcessiveLinesPerFunction",
  },
  { path: "src/x.ts", code: "export const x = 1;\n".repeat(301), says: "noExcessiveLinesPerFile" },
  { path: "src/fooBar.ts", code: "export const x = 1;", says: "useFilenamingConvention" },
  { path: "src/index.ts", code: 'export { x } from "./mutex.js";' },
];

const GROUPS = { PURITY, AMBIENCE, EXEMPT, STYLE };

let folder: string;
let report: string;

/** Every snippet in a project of its own; all of them are linted by one command. */
const projectOf = (group: string, index: number) => `${group.toLowerCase()}-${index}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "s3-mutex-lint-"));
  for (const file of ["biome.json", "biome", "package.json", ".gitignore"]) {
    await cp(join(ROOT, file), join(folder, file), { recursive: true });
  }
  for (const [group, cases] of Object.entries(GROUPS)) {
    for (const [index, { path, code }] of cases.entries()) {
      const target = join(folder, projectOf(group, index), path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, `${code}\n`);
    }
  }
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "lint", "--vcs-enabled=false", "--max-diagnostics=none", "--colors=off", "."];
  const { stdout, stderr } = await run(process.execPath, args, folder);
  report = stdout + stderr;
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Takes from the report what is about one file. A diagnostic starts with its place and ends where the next one starts. */
function saidAbout(path: string): string {
  const parts = report.split(/^(?=\S+\/src\/\S+\.ts(?::\d+:\d+)? (?:lint\/|plugin))/m);
  return parts.filter((part) => part.startsWith(`${path}:`) || part.startsWith(`${path} `)).join("");
}

for (const [group, cases] of Object.entries(GROUPS)) {
  describe(group.toLowerCase(), () => {
    const rows = cases.map((one, index) => ({
      ...one,
      index,
      verdict: one.says === undefined ? "allowed" : "refused",
    }));
    test.each(rows)("$verdict in $path: $code", ({ path, index, says }) => {
      const said = saidAbout(`${projectOf(group, index)}/${path}`);
      if (says === undefined) expect(said).toBe("");
      else expect(said).toContain(says);
    });
  });
}
