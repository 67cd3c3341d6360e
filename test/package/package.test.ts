import { cp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PACKED_MAX_KB } from "../../testkit/package-size.js";
import { brokenLinks } from "../readme/markdown.js";
import { type Installed, installPackage, ROOT, run } from "./installed.js";

let installed: Installed;

beforeAll(async () => {
  installed = await installPackage();
});
afterAll(() => installed?.remove());

describe("the tarball", () => {
  test("is small", async () => {
    expect((await stat(installed.tarball)).size).toBeLessThanOrEqual(PACKED_MAX_KB * 1024);
  });

  test("has what a reader looks for", async () => {
    const expected = [
      ...["package.json", "README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "dist/index.js"],
      ...(await readdir(join(ROOT, "docs/guide"))).map((page) => `docs/guide/${page}`),
      "docs/wire-format.md",
    ];
    expect(expected.filter((path) => !installed.files.includes(path))).toEqual([]);
  });

  test("has compiled code, its types and the dashboard's page and the manual in dist, the guide beside it, and nothing else", () => {
    const expected =
      /\.(js|d\.ts)$|^dist\/cli\/ui\/page\/(index\.html|style\.css|icon\.svg)$|^dist\/cjs\/package\.json$|^dist\/cli\/s3-mutex\.1$/;
    const strange = installed.files.filter((path) => path.startsWith("dist/") && !expected.test(path));
    expect(strange).toEqual([]);
    const outside = installed.files.filter((path) => !path.startsWith("dist/"));
    expect(
      outside.filter((path) => !/^(package\.json|[A-Z]+(\.md)?|docs\/(guide\/[\w-]+|wire-format)\.md)$/.test(path)),
    ).toEqual([]);
  });

  test("every link of its pages leads to a page that it has: what is in the repository only is named, and not linked", async () => {
    const folder = join(installed.folder, "node_modules/s3-mutex");
    const missing = installed.files
      .filter((path) => path.endsWith(".md"))
      .flatMap((page) =>
        brokenLinks(join(folder, page)).map((target) => posix.join(dirname(page), target.split("#")[0] ?? "")),
      );
    expect(missing).toEqual([]);
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

describe("in a project without the AWS SDK", () => {
  const SCRIPT = `const lock = await new S3Mutex({ store: memoryStore() }).acquire("job");
    console.log(typeof fetchStore, lock.held);
    process.exit();`;
  let folder: string;

  beforeAll(async () => {
    folder = join(dirname(installed.folder), "without-sdk");
    const from = join(installed.folder, "node_modules/s3-mutex");
    await cp(from, join(folder, "node_modules/s3-mutex"), { recursive: true });
  });

  test.each([
    ["import", "module", (name: string) => `await import("${name}")`],
    ["require", "commonjs", (name: string) => `require("${name}")`],
  ])("s3-mutex/port works: %s", async (_, type, load) => {
    const loads = `const { S3Mutex } = ${load("s3-mutex/port")}, { fetchStore } = ${load("s3-mutex/fetch")};
      const { memoryStore } = ${load("s3-mutex/testing")};`;
    const script = `(async () => { ${loads} ${SCRIPT} })()`;
    const { status, stdout, stderr } = await run(process.execPath, [`--input-type=${type}`, "-e", script], folder);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "function true\n", stderr: "" });
  });

  test("its types compile, declarations checked too", async () => {
    const source = `import { type Lock, S3Mutex } from "s3-mutex/port"; import { fetchStore } from "s3-mutex/fetch";
      export const acquire = (options: Parameters<typeof fetchStore>[0]): Promise<Lock> =>
        new S3Mutex({ store: fetchStore(options) }).acquire("job");
      // @ts-expect-error it takes no S3 client
      new S3Mutex({ s3ClientConfig: {}, bucketName: "locks" });`;
    await writeFile(join(folder, "consumer.mts"), source);
    const typeRoots = [join(ROOT, "node_modules/@types")];
    const options = { target: "ES2022", module: "node16", strict: true, noEmit: true, types: ["node"], typeRoots };
    const config = {
      compilerOptions: { ...options, lib: ["ES2022", "DOM", "ESNext.Disposable"] },
      files: ["consumer.mts"],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(ROOT, "node_modules/typescript/lib/tsc.js");
    expect(await run(process.execPath, [tsc, "-p", "."], folder)).toMatchObject({ status: 0, stdout: "" });
  });
});

describe("two copies in one process, one by import and one by require()", () => {
  const COPIES = `import { createRequire } from "node:module";
    import { S3Client } from "@aws-sdk/client-s3";
    import * as imported from "s3-mutex";
    import { startS3Server } from "s3-mutex/testing";
    const required = createRequire(import.meta.url)("./node_modules/s3-mutex/dist/cjs/index.js");
    const server = await startS3Server({ buckets: ["locks"] });
    const s3Client = new S3Client(server.clientConfig());
    const open = ({ S3Mutex }) => new S3Mutex({ s3Client, bucketName: "locks", verify: "once" });
    const mutexes = [open(imported), open(required)];`;

  async function printedBy(script: string): Promise<unknown> {
    const args = ["--input-type=module", "--eval", `${COPIES} ${script}; process.exit();`];
    const env = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
    const { stdout, stderr } = await run(process.execPath, args, installed.folder, env);
    expect(stderr).toBe("");
    return JSON.parse(stdout);
  }

  test("are two, know each other's errors, and exclude each other", async () => {
    const script = `const lock = await mutexes[0].acquire("job");
      const error = await mutexes[1].acquire("job", { timeoutMs: 300 }).catch((e) => e);
      console.log(JSON.stringify([imported.S3Mutex === required.S3Mutex, imported.S3MutexError.is(error, "timed-out")]))`;
    expect(await printedBy(script)).toEqual([false, true]);
  });

  test("share what was learnt of a client: the store is examined once", async () => {
    const script = `await mutexes[0].withLock("job", () => {});
      const before = server.requests.total;
      await mutexes[1].withLock("job", () => {});
      console.log(JSON.stringify([before, server.requests.total - before]))`;
    const [first, second] = (await printedBy(script)) as [number, number];
    expect(first).toBeGreaterThan(10);
    expect(second).toBeLessThanOrEqual(3);
  });
});

describe("C10: CommonJS", () => {
  test("knows the same version, and declares what it does", async () => {
    const folder = join(installed.folder, "node_modules/s3-mutex");
    const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const script = 'console.log(require("./node_modules/s3-mutex/dist/cjs/version.js").VERSION)';
    const { stdout } = await run(process.execPath, ["--input-type=commonjs", "-e", script], installed.folder);
    expect(stdout.trim()).toBe(version);
    const declared = installed.files.filter((path) => path.endsWith(".d.ts") && !path.startsWith("dist/cjs/"));
    const missing = declared.filter((path) => !installed.files.includes(path.replace("dist/", "dist/cjs/")));
    expect(missing).toEqual([]);
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
    expect(
      own(urls).filter(
        (path) => !/^otel\/|^(errors|version|arguments\/(option-names|closest|invalid-argument))\.js$/.test(path),
      ),
    ).toEqual([]);
    expect(urls.filter((url) => url.includes("/@aws-sdk/") || url.includes("/@smithy/"))).toEqual([]);
  });

  test("the server for tests loads neither the SDK nor the rest of the library", async () => {
    const urls = await loadedBy("s3-mutex/testing");
    expect(own(urls)).toContain("testing/index.js");
    expect(
      own(urls).filter(
        (path) =>
          !/^(testing|core|store)\/|^(errors|runtime\/base\/effects|arguments\/option-names|arguments\/closest)\.js$/.test(
            path,
          ),
      ),
    ).toEqual([]);
    expect(urls.filter((url) => url.includes("/@aws-sdk/") || url.includes("/@smithy/"))).toEqual([]);
  });
});

describe("C10: TypeScript", () => {
  const CONSUMER = `import { S3Client } from "@aws-sdk/client-s3";
import { type Lock, S3Mutex, S3MutexError } from "s3-mutex";
import { type S3Server, startS3Server } from "s3-mutex/testing";

export async function main(): Promise<void> {
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
}
`;
  const COMMON = { target: "ES2022", strict: true, noEmit: true, types: ["node"], skipLibCheck: true };
  /** Compiler options, and the file to compile. */
  interface Case {
    readonly file?: string;
    readonly [option: string]: unknown;
  }
  const CASES: Readonly<Record<string, Case>> = {
    node16: { module: "node16", moduleResolution: "node16" },
    bundler: { module: "esnext", moduleResolution: "bundler" },
    "CommonJS, node16": { module: "node16", file: "consumer.cts" },
    "CommonJS, nodenext": { module: "nodenext", file: "consumer.cts" },
    "CommonJS, commonjs": { module: "commonjs", moduleResolution: "bundler", file: "consumer.cts" },
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
    for (const file of ["consumer.ts", "consumer.cts"]) await writeFile(join(installed.folder, file), CONSUMER);
  });

  for (const [compiler, path] of Object.entries(COMPILERS)) {
    test.each(Object.entries(CASES))(
      `${compiler} compiler takes our types: %s`,
      async (_, { file = "consumer.ts", ...options }: Case) => {
        const typeRoots = [join(ROOT, "node_modules/@types")];
        const config = { compilerOptions: { ...COMMON, typeRoots, ...options }, files: [file] };
        await writeFile(join(installed.folder, "tsconfig.json"), JSON.stringify(config));
        const { status, stdout } = await run(process.execPath, [join(ROOT, path), "-p", "."], installed.folder);
        expect(stdout).toBe("");
        expect(status).toBe(0);
      },
    );
  }
});
