import { type FaultRule, type S3Server, type StoreQuirks, startS3Server } from "../../src/testing/index.js";
import { Random } from "../../src/testing/virtual/random.js";
import { serveParent } from "../remote.js";

/** A fault as data. `seed` makes a probability repeatable; `alternate` strikes the first, third, fifth ... match. */
export type BenchFault = FaultRule & { readonly seed?: number; readonly alternate?: boolean };

/** One version of a lock's object, for what only its content tells. */
export interface QueueSeen {
  readonly at: number;
  readonly waiters: number;
}

const BUCKET = "bench-locks";

let server: S3Server | undefined;
let queue: QueueSeen[] = [];

function running(): S3Server {
  if (server === undefined) throw new Error("the server is not running");
  return server;
}

function ruleOf({ seed, alternate, ...rule }: BenchFault): FaultRule {
  if (alternate) {
    let matches = 0;
    const random = () => {
      matches += 1;
      return matches % 2 === 1 ? 0 : 1;
    };
    return { ...rule, probability: 0.5, random };
  }
  if (seed === undefined) return rule;
  const generator = new Random(seed);
  return { ...rule, random: () => generator.number() };
}

function waitersIn(body: string | undefined): number {
  const record: unknown = body === undefined ? undefined : JSON.parse(body);
  const waiting = typeof record === "object" && record !== null && "queue" in record ? record.queue : [];
  return Array.isArray(waiting) ? waiting.length : 0;
}

function heldRecord(index: number): object {
  const now = Date.now();
  const holder = {
    id: `acquisition-${index}`,
    owner: `host-${index % 40}:${index}:7d1c6a70-3a55-4b6c-8f5e-2f4f0a9c9a11`,
    host: `host-${index % 40}`,
    pid: index,
    via: "handle",
    mode: "exclusive",
    token: now + index,
    priority: 0,
    leaseMs: 600_000,
    acquiredAtMs: now,
    renewedAtMs: now,
    expiresAtMs: now + 600_000,
    leaseWriteId: `write-${index}`,
  };
  const mirror = { locked: true, owner: holder.owner, acquiredAt: now, expiresAt: now + 600_000, priority: 0 };
  const times = { createdAtMs: now, touchedAtMs: now, token: holder.token, limit: 1 };
  return { ...mirror, schema: 3, writeId: holder.leaseWriteId, ...times, holders: [holder], queue: [], recent: [] };
}

/** The embedded server in a process of its own: what it costs is not measured as if the library had cost it. */
export const serverMethods = {
  async start(latencyMs: number, quirks: StoreQuirks) {
    server = await startS3Server({ buckets: [BUCKET], latencyMs, quirks, recentRequestsMax: 1_000_000 });
    return server.clientConfig();
  },
  setLatency: (latencyMs: number) => running().setLatency(latencyMs),
  addFaults: (faults: readonly BenchFault[]) => {
    for (const fault of faults) running().faults.add(ruleOf(fault));
  },
  clearFaults: () => running().faults.clear(),
  reset: () => running().resetRequests(),
  /** Lists all requests since the last reset, once nothing is under way any more. */
  async requests() {
    await running().settled();
    return running().recentRequests;
  },
  waiters: (key: string) => waitersIn(running().getObject(BUCKET, key)?.text),
  /** Notes from now on how long the queue in the object is after each write of it. */
  watchQueue(key: string) {
    queue = [];
    running().onRequest((request) => {
      if (request.operation !== "PutObject" || request.status !== 200 || request.key !== key) return;
      queue.push({ at: request.at, waiters: waitersIn(running().getObject(BUCKET, key)?.text) });
    });
  },
  queueSeen: () => queue,
  /** Makes so many held locks, past HTTP. */
  plantLocks(count: number) {
    for (let index = 0; index < count; index += 1) {
      running().putObject(BUCKET, `locks/order-${index}.json`, JSON.stringify(heldRecord(index)));
    }
  },
};

serveParent(serverMethods);
