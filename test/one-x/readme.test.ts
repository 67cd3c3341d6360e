import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, parse } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, test } from "vitest";
import type * as library from "../../src/index.js";
import { S3Mutex } from "../../src/index.js";
import { type S3Server, startS3Server } from "../../src/testing/index.js";
import { isRecordKey } from "../../testkit/record-key.js";

const BUCKET = "my-locks-bucket";
const root = fileURLToPath(new URL("../..", import.meta.url));
const markdown = await readFile(new URL("examples-of-1.x.md", import.meta.url), "utf8");

interface Example {
  readonly heading: string;
  readonly code: string;
}

const EXAMPLES: readonly Example[] = [...markdown.matchAll(/^## (.+)\n+```typescript\n([\s\S]*?)^```/gm)].map(
  ([, heading = "", code = ""]) => ({ heading, code }),
);

/** One block is not a program but a signature; it is held against our types only. */
const SIGNATURE = "Constructor";

function exampleOf(heading: string): Example {
  const found = EXAMPLES.find((example) => example.heading === heading);
  if (found === undefined) throw new Error(`no example under ${heading}`);
  return found;
}

/** What an example finds around it; further down in the README that is what earlier ones have made. */
interface Surroundings {
  readonly server: S3Server;
  /** Every instance that an example made, with the options that it gave. */
  readonly made: Array<{ readonly mutex: S3Mutex; readonly options: library.S3MutexOptions }>;
  readonly printed: string[];
  run(heading: string, provided?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Makes the mutex of another process. */
  other(options?: Partial<library.S3MutexBaseOptions>): S3Mutex;
  close(): Promise<void>;
}

async function surroundings(): Promise<Surroundings> {
  const server = await startS3Server({ buckets: [BUCKET] });
  /** As in the examples, with the address of the server that they cannot know. */
  class LocalS3Client extends S3Client {
    constructor(config: S3ClientConfig) {
      super({ ...config, ...server.clientConfig() });
    }
  }
  const made: Surroundings["made"] = [];
  class ObservedS3Mutex extends S3Mutex {
    constructor(options: library.S3MutexOptions) {
      super(options);
      made.push({ mutex: this, options });
    }
  }
  const modules = { "@aws-sdk/client-s3": { S3Client: LocalS3Client }, "s3-mutex": { S3Mutex: ObservedS3Mutex } };
  const printed: string[] = [];
  const log = (...values: readonly unknown[]) => void printed.push(values.join(" "));
  const globals = { console: { log }, S3Mutex: ObservedS3Mutex, s3Client: new LocalS3Client({}) };
  const own: S3Mutex[] = [];
  return {
    server,
    made,
    printed,
    run: async (heading, provided = {}) =>
      run(exampleOf(heading), modules, { mutex: made[0]?.mutex, ...globals, ...provided }),
    other(options = {}) {
      const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET, ...options });
      own.push(mutex);
      return mutex;
    },
    async close() {
      await Promise.all([...own, ...made.map(({ mutex }) => mutex)].map((mutex) => mutex.close()));
      await server.settled();
      const locks = server.objects(BUCKET).filter(({ key }) => isRecordKey(key));
      const left = locks.filter(({ text }) => !text.startsWith('{"locked":false'));
      for (const { options } of made) options.s3Client?.destroy();
      await server.close();
      expect(left.map(({ key }) => key)).toEqual([]);
    },
  };
}

/** Runs an example as it is written: its imports answered, and an async function around it. */
async function run(
  { heading }: Example,
  modules: Readonly<Record<string, object>>,
  provided: Readonly<Record<string, unknown>>,
): Promise<void> {
  const body = (compiled.javascript.get(heading) ?? "")
    .replace(/^import \{([^}]*)\} from (".*?");$/gm, (_, names, from) => `const {${names}} = modules[${from}];`)
    .replace(/^export \{\};$/m, "");
  expect(body, heading).toContain("mutex");
  expect(body, heading).not.toMatch(/^(import|export)/m);
  const parameters = Object.keys(provided).join(", ");
  // A block of its own, so that an example may declare what others take from their surroundings.
  const source = `return async (modules, { ${parameters} }) => { { ${body}\n } };`;
  const example = new Function(source)() as (...args: unknown[]) => Promise<void>;
  await example(modules, provided);
}

// ---------------------------------------------------------------------------------------------------------------------
// Compiling

interface Compiled {
  /** What the compiler has to say. */
  readonly output: string;
  /** By heading. */
  readonly javascript: ReadonlyMap<string, string>;
}

let compiled: Compiled;

beforeAll(async () => {
  compiled = await compile();
}, 60_000);

/** Compiles all examples, each in a file of its own, by the real compiler, strictly, against the types of this package. */
async function compile(): Promise<Compiled> {
  const folder = await mkdtemp(join(tmpdir(), "examples-of-1.x-"));
  try {
    for (const { heading, code } of EXAMPLES) {
      await writeFile(join(folder, `${fileNameOf(heading)}.ts`), compilable(heading, code));
    }
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(tsconfig(folder)));
    const tsc = join(root, "node_modules/typescript/lib/tsc.js");
    const output = await promisify(execFile)(process.execPath, [tsc, "-p", folder, "--pretty", "false"]).then(
      () => "",
      ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
    );
    const emitted = (heading: string) =>
      join(folder, "out", folder.slice(parse(folder).root.length), `${fileNameOf(heading)}.js`);
    const javascript = new Map<string, string>();
    for (const { heading } of EXAMPLES) javascript.set(heading, await readFile(emitted(heading), "utf8"));
    return { output, javascript };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function tsconfig(folder: string): object {
  const paths = {
    "s3-mutex": [join(root, "src/index.ts")],
    "@aws-sdk/client-s3": [join(root, "node_modules/@aws-sdk/client-s3/dist-types/index.d.ts")],
  };
  const compilerOptions = {
    ...{ strict: true, target: "ES2023", lib: ["ES2023", "ESNext.Disposable"], module: "NodeNext", paths },
    ...{ types: ["node"], typeRoots: [join(root, "node_modules/@types")], skipLibCheck: true },
    ...{ outDir: "out", rootDir: parse(folder).root },
  };
  return { compilerOptions, files: EXAMPLES.map(({ heading }) => `${fileNameOf(heading)}.ts`) };
}

function fileNameOf(heading: string): string {
  return heading.toLowerCase().replaceAll(" ", "-");
}

/** Puts declarations of what its reader has around it before the example as it is. */
function compilable(heading: string, code: string): string {
  if (heading === SIGNATURE) {
    const type = code.trim().replace(/^new S3Mutex\((.*)\)$/, "new ($1) => S3Mutex");
    const imports = 'import { S3Mutex, type S3MutexOptions } from "s3-mutex";';
    return `${imports}\nexport const construct: ${type} = S3Mutex;\n`;
  }
  const around = [
    "declare function doSomething(): Promise<void>;",
    "declare function processResource(): Promise<string>;",
    code.includes("import { S3Client }") ? "" : 'import { S3Client } from "@aws-sdk/client-s3";',
    code.includes("import { S3Mutex }") ? "" : 'import { S3Mutex } from "s3-mutex";',
    /const s3Client\b/.test(code) ? "" : "declare const s3Client: S3Client;",
    /const mutex\b/.test(code) ? "" : "declare const mutex: S3Mutex;",
  ];
  return `${around.join("\n")}\n${code}\nexport {};\n`;
}

// ---------------------------------------------------------------------------------------------------------------------

test("the examples are all here", () => {
  expect(EXAMPLES.map(({ heading }) => heading)).toEqual([
    "Basic usage",
    "Using the withLock helper",
    "Configuration Options",
    SIGNATURE,
    "Lock Priority and Deadlock Prevention",
    "Handling Stale Locks",
    "Force-releasing a Lock",
  ]);
});

describe.concurrent("an example of the README of 1.x does as it says:", () => {
  /** Runs the first example, as in the README, with nothing in the bucket afterwards that would matter. */
  async function afterBasicUsage(): Promise<Surroundings> {
    const around = await surroundings();
    await around.run("Basic usage", { doSomething: () => {} });
    expect(around.made).toHaveLength(1);
    return around;
  }

  test("basic usage, the lock being free", async () => {
    const around = await surroundings();
    const seen: unknown[] = [];
    const doSomething = async () => {
      const other = around.other();
      seen.push(await other.isLocked("my-resource-lock"), await other.acquireLock("my-resource-lock", 0));
    };
    await around.run("Basic usage", { doSomething });
    expect(seen).toEqual([true, false]);
    expect(around.printed).toEqual([]);
    expect(await around.other().isLocked("my-resource-lock")).toBe(false);
    const keys = around.server.objects(BUCKET).map(({ key }) => key);
    expect(keys.filter((key) => isRecordKey(key))).toEqual(["locks/my-resource-lock.json"]);
    await around.close();
  });

  test("basic usage, the work failing: the lock is released all the same", async () => {
    const around = await surroundings();
    const error = new Error("failed");
    await expect(around.run("Basic usage", { doSomething: () => Promise.reject(error) })).rejects.toBe(error);
    expect(await around.other().isLocked("my-resource-lock")).toBe(false);
    await around.close();
  });

  test("basic usage and withLock, another caller having the lock: said after 6.2 s", { timeout: 60_000 }, async () => {
    const around = await afterBasicUsage();
    const holder = around.other();
    expect(await holder.acquireLock("my-resource-lock")).toBe(true);
    let runs = 0;
    const count = () => ++runs;
    const timed = async (running: Promise<void>) => {
      const startedMs = performance.now();
      await running;
      return performance.now() - startedMs;
    };
    const tookMs = await Promise.all([
      timed(around.run("Basic usage", { doSomething: count })),
      timed(around.run("Using the withLock helper", { processResource: count })),
    ]);
    expect(around.printed.toSorted()).toEqual(["Could not acquire lock", "Failed to acquire lock"]);
    expect(runs).toBe(0);
    for (const ms of tookMs) {
      expect(ms).toBeGreaterThan(6100);
      expect(ms).toBeLessThan(10_000);
    }
    expect(await holder.releaseLock("my-resource-lock")).toBe(true);
    await around.close();
  });

  test("the withLock helper, the lock being free", async () => {
    const around = await afterBasicUsage();
    let heldMeanwhile = false;
    const processResource = async () => {
      heldMeanwhile = await around.other().isLocked("my-resource-lock");
      return "42 records";
    };
    await around.run("Using the withLock helper", { processResource });
    expect(heldMeanwhile).toBe(true);
    expect(around.printed).toEqual(["Process completed with result: 42 records"]);
    expect(await around.other().isLocked("my-resource-lock")).toBe(false);
    await around.close();
  });

  test("the configuration, which says what the defaults are", async () => {
    const around = await surroundings();
    await around.run("Configuration Options");
    const [configured] = around.made;
    const { s3Client, bucketName, ...optional } = configured?.options ?? {};
    expect(bucketName).toBe(BUCKET);
    expect(optional).toEqual({
      keyPrefix: "locks/",
      maxRetries: 5,
      retryDelayMs: 200,
      maxRetryDelayMs: 5000,
      useJitter: true,
      lockTimeoutMs: 60_000,
      clockSkewToleranceMs: 1000,
    });
    expect(await configured?.mutex.withLock("configured", () => "works")).toBe("works");
    await around.close();
  });

  test("a priority", async () => {
    const around = await afterBasicUsage();
    await around.run("Lock Priority and Deadlock Prevention");
    const record = JSON.parse(around.server.getObject(BUCKET, "locks/resource-lock.json")?.text ?? "");
    expect(record).toMatchObject({ locked: true, priority: 10 });
    expect(await around.made[0]?.mutex.releaseLock("resource-lock")).toBe(true);
    await around.close();
  });

  test("stale locks: found and counted, and left as they are in a dry run", async () => {
    const around = await afterBasicUsage();
    const hourMs = 3_600_000;
    const put = (key: string, acquiredAgoMs: number, lastsMs: number) => {
      const acquiredAt = Date.now() - acquiredAgoMs;
      const body = { locked: true, owner: "gone", acquiredAt, expiresAt: acquiredAt + lastsMs, priority: 0 };
      around.server.putObject(BUCKET, key, JSON.stringify(body));
    };
    put("locks/myapp/stale.json", 2 * hourMs, 60_000);
    put("locks/myapp/stale-for-less-than-an-hour.json", hourMs / 2, 60_000);
    put("locks/myapp/live.json", 2 * hourMs, 3 * hourMs);
    put("locks/elsewhere/stale.json", 2 * hourMs, 60_000);
    // What the check of the store is made on is not a lock.
    const locks = () => around.server.objects(BUCKET).filter(({ key }) => isRecordKey(key));
    const before = locks().map(({ key, etag }) => key + etag);
    await around.run("Handling Stale Locks");
    expect(around.printed).toEqual(["Found 1 stale locks out of 3 total locks", "Cleaned up 0 locks"]);
    expect(locks().map(({ key, etag }) => key + etag)).toEqual(before);

    const { mutex } = around.made[0] ?? {};
    const olderThan = Date.now() - hourMs;
    const results = await mutex?.cleanupStaleLocks({ prefix: "locks/myapp/", olderThan });
    expect(results).toMatchObject({ total: 3, stale: 1, cleaned: 1 });
    for (const { key } of around.server.objects(BUCKET)) around.server.deleteObject(BUCKET, key);
    await around.close();
  });

  test("force-releasing", async () => {
    const around = await afterBasicUsage();
    const holder = around.other();
    await holder.acquireLock("resource-lock");
    await around.run("Force-releasing a Lock");
    expect(await holder.isOwnedByUs("resource-lock")).toBe(false);
    expect(await around.other().isLocked("resource-lock")).toBe(false);
    await around.close();
  });

  test("the methods that it lists are all there", async () => {
    const around = await afterBasicUsage();
    const { mutex } = around.made[0] ?? {};
    const listed = [
      ...["acquireLock", "releaseLock", "refreshLock", "isLocked", "isOwnedByUs", "deleteLock", "withLock"],
      "cleanupStaleLocks",
    ] as const;
    for (const method of listed) expect(mutex?.[method as "isLocked"]).toBeTypeOf("function");
    await around.close();
  });
});

test("the examples compile under strict against our types", () => {
  expect(compiled.output).toBe("");
});
