import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { onTestFinished } from "vitest";
import { realEffects } from "../../src/runtime/base/effects.js";
import type { StoreEffects } from "../../src/store/object-store.js";
import { S3Store, type S3StoreOptions } from "../../src/store/s3/s3-store.js";

export interface Stub {
  readonly endpoint: string;
  /** "GET /bucket/key" of each request that arrived. */
  readonly seen: string[];
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body?: string) => void;

/** Starts a server that answers each request as the test says, for answers that no well-formed store gives. */
export async function startStub(answer: Answer): Promise<Stub> {
  const seen: string[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push(`${request.method} ${request.url?.split("?")[0]}`);
      answer(request, response, Buffer.concat(chunks).toString());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** Makes an error answer of S3. */
export function errorAnswer(status: number, code: string, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { "content-type": "application/xml", ...headers });
    response.end(status === 304 ? "" : `<Error><Code>${code}</Code><Message>${code} it is</Message></Error>`);
  };
}

export const CREDENTIALS = { accessKeyId: "key", secretAccessKey: "secret" };

export function clientFor(endpoint: string, config: S3ClientConfig = {}): S3Client {
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: CREDENTIALS,
    maxAttempts: 5,
    ...config,
  });
  onTestFinished(() => client.destroy());
  return client;
}

export function storeOver(client: S3Client, options: Partial<S3StoreOptions> = {}): S3Store {
  return new S3Store({ client, bucketName: "locks", effects: realEffects, keyPrefix: "locks/", ...options });
}

/** Makes real effects whose timers of 1 s and more come a thousand times sooner, so that long limits can be waited out. */
export function hurriedEffects(isHurried = (delayMs: number) => delayMs >= 1_000): StoreEffects {
  return {
    monotonicMs: () => realEffects.monotonicMs(),
    newId: () => realEffects.newId(),
    setTimer: (delayMs, callback, options) =>
      realEffects.setTimer(isHurried(delayMs) ? delayMs / 1_000 : delayMs, callback, options),
  };
}

/** Makes effects that count the timers which were neither cancelled nor came. */
export function countingEffects(): StoreEffects & { readonly pending: Set<object> } {
  const pending = new Set<object>();
  return {
    pending,
    monotonicMs: () => realEffects.monotonicMs(),
    newId: () => realEffects.newId(),
    setTimer(delayMs, callback, options) {
      const token = {};
      pending.add(token);
      const cancel = realEffects.setTimer(
        delayMs,
        () => {
          pending.delete(token);
          callback();
        },
        options,
      );
      return () => {
        pending.delete(token);
        cancel();
      };
    },
  };
}

export const OPTIONS = { timeoutMs: 5_000 };
export const IF_ABSENT = { kind: "if-absent" } as const;
export const ifMatch = (etag: string) => ({ kind: "if-match", etag }) as const;
