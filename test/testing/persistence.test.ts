import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startS3Server } from "../../src/testing/index.js";
import { BUCKET, outcomeOf, startHarness } from "./harness.js";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-testing-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("buckets, objects, ETags, times and metadata survive a restart", async () => {
  const dataFolder = newFolder();
  const keys = ["a/b", "../../escape", "é😀", "line\nbreak", "x".repeat(1024)];
  const first = await startS3Server({ dataFolder, buckets: [BUCKET] });
  const headers = { "x-amz-meta-holder": "me" };
  await fetch(`${first.endpoint}/${BUCKET}/meta`, { method: "PUT", body: "line\n\u0000", headers });
  for (const key of keys) first.putObject(BUCKET, key, key);
  first.putObject(BUCKET, "deleted", "v");
  first.deleteObject(BUCKET, "deleted");
  const before = first.objects(BUCKET);
  await first.close();

  const second = await startHarness({ dataFolder, buckets: [BUCKET] });

  expect(second.server.objects(BUCKET)).toEqual(before);
  expect(second.server.getObject(BUCKET, "meta")?.metadata).toEqual({ holder: "me" });
  expect(await outcomeOf(second.put("a/b", "again", { IfNoneMatch: "*" }))).toBe("412 PreconditionFailed");
  const etag = before.find((object) => object.key === "a/b")?.etag ?? "";
  expect(await outcomeOf(second.put("a/b", "again", { IfMatch: etag }))).toBe("ok");
});

test("a deleted bucket is gone after a restart", async () => {
  const dataFolder = newFolder();
  const first = await startS3Server({ dataFolder, buckets: [BUCKET, "other"] });
  await fetch(`${first.endpoint}/other`, { method: "DELETE" });
  await first.close();
  await using second = await startS3Server({ dataFolder });
  expect(() => second.objects("other")).toThrow(/no bucket "other" \(it has: locks\)/);
});

test("what is left of a write that was cut short does not count", async () => {
  const dataFolder = newFolder();
  const first = await startS3Server({ dataFolder, buckets: [BUCKET] });
  first.putObject(BUCKET, "k", "whole");
  await first.close();
  const [file] = readdirSync(join(dataFolder, BUCKET));
  writeFileSync(join(dataFolder, BUCKET, `${file}.tmp`), '{"key":"k","et');
  await using second = await startS3Server({ dataFolder });
  expect(second.objects(BUCKET).map((object) => object.text)).toEqual(["whole"]);
  expect(readdirSync(join(dataFolder, BUCKET))).toEqual([file]);
});

test("what was acknowledged before a SIGKILL is there after it", { timeout: 60_000 }, async () => {
  const dataFolder = newFolder();
  const script = fileURLToPath(new URL("killed-server.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, dataFolder, BUCKET], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [endpoint] = await once(child.stdout, "data");
  const acknowledged = new Map<string, string>();
  const write = async (writer: number) => {
    for (let i = 0; ; i++) {
      const key = `${writer}/${i % 20}`;
      const answer = await fetch(`${String(endpoint).trim()}/${BUCKET}/${key}`, { method: "PUT", body: `${i}` });
      if (answer.ok) acknowledged.set(key, `${i}`);
      if (acknowledged.size === 80) child.kill("SIGKILL");
    }
  };
  await Promise.all([0, 1, 2, 3].map((writer) => write(writer).catch(() => undefined)));

  await using server = await startS3Server({ dataFolder });

  expect(acknowledged.size).toBe(80);
  for (const [key, text] of acknowledged) {
    // The next write of a key may have landed without its answer being heard.
    expect(Number(server.getObject(BUCKET, key)?.text)).toBeGreaterThanOrEqual(Number(text));
  }
});
