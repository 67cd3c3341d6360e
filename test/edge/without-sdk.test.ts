import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { S3Mutex } from "../../src/index.js";
import * as port from "../../src/port/index.js";
import { memoryStore } from "../../src/testing/index.js";

/**
 * What workerd has of Node with `nodejs_compat` and a compatibility date from 2025-09-15 (measured in workerd 2026-07-30). `node:perf_hooks` is
 * not among it before 2026, and without the flag there is none of them: `npm run runtimes` runs it there.
 */
const OF_WORKERD = [
  ...["async_hooks", "buffer", "crypto", "diagnostics_channel", "events", "os", "process", "stream", "util", "zlib"],
].map((name) => `node:${name}`);

/** Lists everything that a built entry loads, dynamic imports included: its own files, and packages by their names. */
function loadedBy(entry: string, ending: ".js" | ".d.ts"): { readonly files: string[]; readonly packages: string[] } {
  const packages = new Set<string>();
  const files = new Set<string>();
  const waiting = [join("dist", entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    const text = readFileSync(`${file}${ending}`, "utf8");
    for (const [, found = ""] of text.matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*"([^"]+)"/g)) {
      if (found.startsWith(".")) waiting.push(join(dirname(file), found.replace(/\.js$/, "")));
      else packages.add(found);
    }
  }
  return { files: [...files].filter((file) => existsSync(`${file}${ending}`)), packages: [...packages] };
}

describe.each(["port/index", "fetch/index", "r2/index"])("s3-mutex/%s", (entry) => {
  test.each(["", "cjs/"])("loads neither a package nor what workerd lacks of Node (%s)", (system) => {
    const { files, packages } = loadedBy(`${system}${entry}`, ".js");
    expect(files.length).toBeGreaterThan(3);
    expect(packages.filter((name) => !OF_WORKERD.includes(name))).toEqual([]);
  });

  test("has types that need no package but those of Node", () => {
    const { packages } = loadedBy(entry, ".d.ts");
    expect(packages.filter((name) => !name.startsWith("node:"))).toEqual([]);
  });
});

test("the main entry does load the SDK: the test above would see it", () => {
  expect(loadedBy("index", ".js").packages).toContain("@aws-sdk/client-s3");
  expect(loadedBy("index", ".d.ts").packages).toContain("@aws-sdk/client-s3");
});

describe("S3Mutex of s3-mutex/port", () => {
  test("locks a store, and is what the S3Mutex of s3-mutex extends", async () => {
    const store = memoryStore();
    const [mutex, other] = [new port.S3Mutex({ store }), new S3Mutex({ store })];
    const lock = await mutex.acquire("orders");
    expect(await other.tryAcquire("orders")).toBeNull();
    await lock.release();
    expect(other).toBeInstanceOf(port.S3Mutex);
    await Promise.all([mutex.close(), other.close()]);
  });

  test.each([
    [{ s3ClientConfig: {}, bucketName: "b" }, /^s3ClientConfig is .*: S3Mutex of "s3-mutex\/port" takes a store/],
    [{ s3Client: { send() {} }, bucketName: "b" }, /^s3Client is .*: S3Mutex of "s3-mutex\/port" takes a store/],
    [{}, /^store is undefined: pass an ObjectStore/],
    [{ store: memoryStore(), bucketName: "b" }, /^bucketName is "b": leave it out beside store/],
  ])("refuses %j", (options, message) => {
    expect(() => new port.S3Mutex(options as never)).toThrow(message);
  });

  test("exports what the main entry does, but for what needs an S3 client", async () => {
    const main = await import("../../src/index.js");
    const missing = Object.keys(main).filter((name) => !(name in port));
    expect(missing.sort()).toEqual(["StoreMutex", "verifyStore"]);
  });
});
