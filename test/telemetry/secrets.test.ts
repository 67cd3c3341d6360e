import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { S3Mutex, type S3MutexDiagnostics } from "../../src/index.js";
import { startS3Server } from "../../src/testing/index.js";
import { BUCKET, listeningLogger } from "../api/fixture.js";

/** Nothing that an attacker could use may be found in what is logged, told or thrown. */
const CANARIES = {
  secretAccessKey: "canary-secret-key-7f3a",
  sessionToken: "canary-session-token-91bc",
  userInfo: "canary-user-info-55de",
  body: "canary-body-of-another-0c2e",
};

const CHANNELS: readonly (keyof S3MutexDiagnostics)[] = [
  "s3-mutex:acquire:start",
  "s3-mutex:acquire:end",
  "s3-mutex:acquired",
  "s3-mutex:renewed",
  "s3-mutex:lost",
  "s3-mutex:released",
  "s3-mutex:deadlock",
  "s3-mutex:hold:start",
  "s3-mutex:hold:end",
  "s3-mutex:request",
  "s3-mutex:refusal",
];

/** Prints a logger's arguments as `console` and pino do: messages, stacks and causes. */
function asPrinted(value: unknown): string {
  return inspect(value, { depth: 12, showHidden: false, maxStringLength: null, maxArrayLength: null });
}

test("no secret, credential or body is logged, told on a channel, or in an error", async () => {
  const server = await startS3Server({ buckets: [BUCKET] });
  const { logger, lines } = listeningLogger();
  const said: string[] = [];
  const listener = (message: unknown) => void said.push(asPrinted(message));
  for (const channel of CHANNELS) subscribe(channel, listener);
  const { secretAccessKey, sessionToken, userInfo, body } = CANARIES;
  const endpoint = server.endpoint.replace("http://", `http://user:${userInfo}@`);
  const client = new S3Client({
    ...server.clientConfig(),
    endpoint,
    credentials: { accessKeyId: "known", secretAccessKey, sessionToken },
  });
  const options = { s3Client: client, bucketName: BUCKET, logger, lockTimeoutMs: 600, maxRetries: 0 };
  const mutex = new S3Mutex(options);
  mutex.on("acquired", () => {
    throw new Error("a listener that throws");
  });
  const attempt = async (work: () => Promise<unknown>) => {
    const outcome = await work().catch((error: unknown) => error);
    said.push(asPrinted(outcome), String((outcome as Error | undefined)?.stack));
  };
  try {
    server.putObject(BUCKET, "locks/corrupt.json", JSON.stringify({ note: body }));
    server.putObject(BUCKET, "locks/no-json.json", `{"${body}`);
    await attempt(() => mutex.acquire("corrupt"));
    await attempt(() => mutex.acquire("no-json"));
    await attempt(() => mutex.inspect("corrupt"));
    await attempt(() => mutex.cleanupStaleLocks());
    await attempt(() => mutex.withLock("fine", () => new Promise((resolve) => setTimeout(resolve, 300))));
    for (const status of [400, 401, 403, 404, 500, 503]) {
      server.faults.add({ fault: "status", status, times: 3 });
      await attempt(() => mutex.acquire("lock", { timeoutMs: 50 }));
      server.faults.clear();
    }
    const lock = await mutex.acquire("held");
    server.faults.add({ fault: "drop-before" });
    await attempt(() => lock.renew());
    await attempt(() => lock.release());
    await attempt(() => mutex.health({ timeoutMs: 200 }));
    server.faults.clear();
    await attempt(() => new S3Mutex({ ...options, bucketName: "no-such-bucket" }).acquire("lock"));
    await attempt(async () => new S3Mutex({ s3Client: client, s3ClientConfig: { endpoint } } as never));
    await server.close();
    await attempt(() => mutex.acquire("lock", { timeoutMs: 50 }));
  } finally {
    await mutex.close();
    for (const channel of CHANNELS) unsubscribe(channel, listener);
    client.destroy();
    await server.close();
  }
  const everything = [...said, ...lines.map(asPrinted)].join("\n");
  expect(lines.length).toBeGreaterThan(0);
  expect(everything).toContain("no-such-bucket");
  for (const [name, canary] of Object.entries(CANARIES)) expect(occurrences(everything, canary), name).toEqual([]);
}, 60_000);

function occurrences(text: string, canary: string): string[] {
  return text.split("\n").filter((line) => line.includes(canary));
}
