import { randomUUID } from "node:crypto";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { realEffects } from "../../src/runtime/base/effects.js";
import { createS3Client } from "../../src/store/s3/client/client.js";
import { S3Store } from "../../src/store/s3/s3-store.js";

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
}

export interface Latency {
  readonly put: Percentiles;
  readonly get: Percentiles;
}

const COUNT = 200;
const OPTIONS = { timeoutMs: 20_000 };

/** Measures one client, one request after the other: creates of objects of the size of a lock record, and reads of them. */
export async function measureLatency(config: S3ClientConfig, bucketName: string): Promise<Latency> {
  const client = createS3Client(config);
  try {
    const store = new S3Store({ client, bucketName, keyPrefix: "latency/", effects: realEffects });
    const put: number[] = [];
    const get: number[] = [];
    for (let n = 0; n < COUNT; n += 1) {
      const body = JSON.stringify({ id: randomUUID(), text: "x".repeat(400) });
      put.push(await timed(() => store.write(`latency/${n}`, body, { kind: "if-absent" }, OPTIONS)));
      get.push(await timed(() => store.read(`latency/${n}`, OPTIONS)));
    }
    return { put: percentiles(put), get: percentiles(get) };
  } finally {
    client.destroy();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

function percentiles(samples: readonly number[]): Percentiles {
  // The first requests open connections and warm up compilers.
  const sorted = samples.slice(20).toSorted((a, b) => a - b);
  const at = (part: number) => Number((sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(1));
  return { p50: at(0.5), p95: at(0.95) };
}
