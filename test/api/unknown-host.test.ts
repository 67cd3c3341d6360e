import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { BUCKET, it } from "./fixture.js";

const LOCK = "resource";

/** Files share their processes and what they import, so that the module itself is changed for a while. */
beforeEach(() => {
  vi.stubEnv("AWS_CONFIG_FILE", undefined);
  for (const call of ["hostname", "homedir"] as const) {
    vi.spyOn(os, call).mockImplementation(() => {
      const message = `Requires sys access to "${call}", run again with the --allow-sys flag`;
      throw Object.assign(new Error(message), { name: "NotCapable" });
    });
  }
  syncBuiltinESMExports();
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it("a process that may know neither host name nor home folder, as under Deno, has locks, under an identity without a host", async ({
  world,
}) => {
  const mutex = new S3Mutex({ bucketName: BUCKET, s3ClientConfig: world.server.clientConfig(), label: "import" });
  expect(mutex.ownerId).not.toMatch(/undefined|:/);
  await mutex.withLock(LOCK, async () => {
    const [holder] = (await mutex.inspect(LOCK))?.holders ?? [];
    expect(holder).toMatchObject({ owner: mutex.ownerId, label: "import" });
    expect(holder).not.toHaveProperty("host");
    expect(holder).not.toHaveProperty("pid");
  });
  await mutex.close();
});
