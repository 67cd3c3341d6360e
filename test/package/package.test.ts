import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Installed, installPackage, ROOT, run } from "./installed.js";

let installed: Installed;

beforeAll(async () => {
  installed = await installPackage();
});
afterAll(() => installed?.remove());

/** The locks alone had 150 KB; the dashboard, doctor and the other primitives came on top. */
const PACKED_MAX_BYTES = 300 * 1024;

describe("the tarball", () => {
  test("is small", async () => {
    expect((await stat(installed.tarball)).size).toBeLessThanOrEqual(PACKED_MAX_BYTES);
  });

  test("has what a reader looks for", () => {
    const expected = ["package.json", "README.md", "CHANGELOG.md", "LICENSE", "dist/index.js"];
    expect(expected.filter((path) => !installed.files.includes(path))).toEqual([]);
  });

  test("has compiled code, its types and the dashboard's page in dist, and nothing else", () => {
    const expected = /\.(js|d\.ts)$|^dist\/cli\/ui\/page\/(index\.html|style\.css|icon\.svg)$/;
    const strange = installed.files.filter((path) => path.startsWith("dist/") && !expected.test(path));
    expect(strange).toEqual([]);
    const outside = installed.files.filter((path) => !path.startsWith("dist/"));
    expect(outside.filter((path) => !/^(package\.json|[A-Z]+(\.md)?)$/.test(path))).toEqual([]);
  });

  test("has no tests", () => {
    expect(installed.files.filter((path) => /\.(spec|test)\.|(^|\/)tests?\//.test(path))).toEqual([]);
  });

  test("refers to no source map", async () => {
    const folder = join(installed.folder, "node_modules/s3-mutex");
    const code = installed.files.filter((path) => path.endsWith(".js") || path.endsWith(".d.ts"));
    const texts = await Promise.all(code.map((path) => readFile(join(folder, path), "utf8")));
    expect(code.filter((_, index) => texts[index]?.includes("sourceMappingURL"))).toEqual([]);
  });

  test("runs nothing when it is installed", async () => {
    const manifest = JSON.parse(await readFile(join(installed.folder, "node_modules/s3-mutex/package.json"), "utf8"));
    const ran = ["preinstall", "install", "postinstall", "prepare"].filter((name) => name in manifest.scripts);
    expect(ran).toEqual([]);
    expect(manifest.dependencies ?? {}).toEqual({});
  });
});

describe("in an empty project", () => {
  test("import works", async () => {
    const script = 'import { S3Mutex } from "s3-mutex"; import { startS3Server } from "s3-mutex/testing";';
    await expectPrinted([
      "--input-type=module",
      "--eval",
      `${script} console.log(typeof S3Mutex, typeof startS3Server)`,
    ]);
  });

  test("require works", async () => {
    const script = 'const { S3Mutex } = require("s3-mutex"); const { startS3Server } = require("s3-mutex/testing");';
    await expectPrinted([
      "--input-type=commonjs",
      "--eval",
      `${script} console.log(typeof S3Mutex, typeof startS3Server)`,
    ]);
  });

  async function expectPrinted(args: readonly string[]): Promise<void> {
    const { status, stdout, stderr } = await run(process.execPath, args, installed.folder);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "function function\n", stderr: "" });
  }

  test("the command line explains itself", async () => {
    const { status, stdout } = await run("node_modules/.bin/s3-mutex", ["--help"], installed.folder);
    expect(stdout).toContain("s3-mutex");
    expect(status).toBe(0);
  });

  test("what is not exported cannot be imported", async () => {
    const script = 'await import("s3-mutex/dist/runtime/effects.js")';
    const { status, stderr } = await run(process.execPath, ["--input-type=module", "-e", script], installed.folder);
    expect(stderr).toContain("ERR_PACKAGE_PATH_NOT_EXPORTED");
    expect(status).not.toBe(0);
  });
});

describe("what an import loads", () => {
  // Logs every module that is resolved. It runs in a thread of its own, hence writeSync.
  const HOOKS = `import { writeSync } from "node:fs";
    export async function resolve(specifier, context, next) {
      const found = await next(specifier, context);
      writeSync(1, found.url + "\\n");
      return found;
    }`;

  async function loadedBy(entry: string): Promise<readonly string[]> {
    const hooks = `data:text/javascript,${encodeURIComponent(HOOKS)}`;
    const register = `import { register } from "node:module"; register(${JSON.stringify(hooks)});`;
    const args = ["--import", `data:text/javascript,${encodeURIComponent(register)}`, "--input-type=module"];
    const script = `await import(${JSON.stringify(entry)})`;
    const { stdout } = await run(process.execPath, [...args, "--eval", script], installed.folder);
    return stdout.split("\n").filter((url) => url !== "");
  }

  const own = (urls: readonly string[]) =>
    urls.flatMap((url) => /\/node_modules\/s3-mutex\/dist\/(.*)$/.exec(url)?.[1] ?? []);

  test("the library loads neither the command line nor what is for tests", async () => {
    const urls = await loadedBy("s3-mutex");
    expect(own(urls)).toContain("index.js");
    expect(own(urls).filter((path) => /^(cli|otel|testing)\//.test(path))).toEqual([]);
    expect(urls.filter((url) => url.includes("/@opentelemetry/"))).toEqual([]);
  });

  test("telemetry loads neither the SDK nor the rest of the library", async () => {
    const urls = await loadedBy("s3-mutex/otel");
    expect(own(urls)).toContain("otel/index.js");
    expect(own(urls).filter((path) => !path.startsWith("otel/"))).toEqual([]);
    expect(urls.filter((url) => url.includes("/@aws-sdk/") || url.includes("/@smithy/"))).toEqual([]);
  });

  test("the server for tests loads neither the SDK nor the rest of the library", async () => {
    const urls = await loadedBy("s3-mutex/testing");
    expect(own(urls)).toContain("testing/index.js");
    expect(own(urls).filter((path) => !/^(testing|core|store)\/|^errors\.js$/.test(path))).toEqual([]);
    expect(urls.filter((url) => url.includes("/@aws-sdk/") || url.includes("/@smithy/"))).toEqual([]);
  });
});

describe("TypeScript", () => {
  const CONSUMER = `import { S3Client } from "@aws-sdk/client-s3";
import { type Lock, S3Mutex, S3MutexError } from "s3-mutex";
import { type S3Server, startS3Server } from "s3-mutex/testing";

const server: S3Server = await startS3Server({ buckets: ["locks"] });
const mutex = new S3Mutex({ bucketName: "locks", s3Client: new S3Client(server.clientConfig()) });
const result: number | null = await mutex.withLock("job", async (lock: Lock) => lock.fencingToken);
try {
  await mutex.acquire("job", { timeoutMs: 10 });
} catch (error) {
  if (S3MutexError.is(error, "timed-out")) console.log(error.lockName, result);
}
// @ts-expect-error a lock has a name
await mutex.acquire();
`;
  const COMMON = { target: "ES2022", strict: true, noEmit: true, types: ["node"], skipLibCheck: true };
  const CASES = {
    node16: { module: "node16", moduleResolution: "node16" },
    bundler: { module: "esnext", moduleResolution: "bundler" },
    "node16, exactOptionalPropertyTypes": { module: "node16", exactOptionalPropertyTypes: true },
    "node16, declarations checked too": {
      module: "node16",
      skipLibCheck: false,
      lib: ["ES2022", "DOM", "ESNext.Disposable"],
    },
  };
  const COMPILERS = {
    "this repository's": "node_modules/typescript/lib/tsc.js",
    "the one before": "node_modules/@microsoft/api-extractor/node_modules/typescript/lib/tsc.js",
  };

  beforeAll(async () => {
    await writeFile(join(installed.folder, "consumer.ts"), CONSUMER);
  });

  for (const [compiler, path] of Object.entries(COMPILERS)) {
    test.each(Object.entries(CASES))(`${compiler} compiler takes our types: %s`, async (_, options) => {
      const typeRoots = [join(ROOT, "node_modules/@types")];
      const config = { compilerOptions: { ...COMMON, typeRoots, ...options }, files: ["consumer.ts"] };
      await writeFile(join(installed.folder, "tsconfig.json"), JSON.stringify(config));
      const { status, stdout } = await run(process.execPath, [join(ROOT, path), "-p", "."], installed.folder);
      expect(stdout).toBe("");
      expect(status).toBe(0);
    });
  }
});
