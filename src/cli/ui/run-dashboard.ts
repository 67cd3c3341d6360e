import { hostname } from "node:os";
import { type HolderReport, S3Mutex, type S3MutexOptions } from "../../index.js";
import { CommandError } from "../base/usage-error.js";
import { type Dashboard, startDashboard } from "./server.js";
import { type LockSource, SharedReader } from "./shared-reader.js";
import type { ReleaseOutcome, ReleaseRequest } from "./wire.js";

export interface DashboardSettings {
  readonly mutex: S3MutexOptions;
  /** Only locks whose names start with this. */
  readonly namePrefix?: string;
  readonly storeName: string;
  readonly host: string;
  readonly port: number;
  readonly intervalMs: number;
  readonly isReadOnly: boolean;
  /** Where the built page is, for tests of what is not built. */
  readonly script?: URL;
  /** How long a request may take to arrive whole. @default 10000 */
  readonly requestTimeoutMs?: number;
}

/** Opens a dashboard over a store; or says in one sentence why it cannot listen. */
export async function openDashboard(settings: DashboardSettings): Promise<Dashboard> {
  const { storeName, host, port, intervalMs, isReadOnly, script, requestTimeoutMs, namePrefix = "" } = settings;
  const mutex = new S3Mutex(settings.mutex);
  const reader = new SharedReader({
    source: watchFrom(mutex, namePrefix),
    storeName,
    isReadOnly,
    intervalMs,
    lingerMs: 5000,
    retryMs: 2000,
  });
  const release = isReadOnly ? undefined : (request: ReleaseRequest) => releaseWhatWasSeen(mutex, request);
  try {
    const hostNames = [hostname().toLowerCase()];
    const { url, close } = await startDashboard({ reader, release, host, port, hostNames, script, requestTimeoutMs });
    return { url, close: async () => void (await Promise.all([close(), mutex.close()])) };
  } catch (error) {
    await mutex.close();
    const sentence = SENTENCES[String((error as NodeJS.ErrnoException).code)]?.(host, port);
    throw sentence === undefined ? error : new CommandError(sentence, { cause: error });
  }
}

function watchFrom(mutex: S3Mutex, prefix: string): LockSource {
  return { watch: (options) => mutex.watch({ ...options, prefix }) };
}

/** Releases no more than was seen: before the click another caller may have got the lock, and its hold was not meant. */
async function releaseWhatWasSeen(mutex: S3Mutex, { lockName, tokens }: ReleaseRequest): Promise<ReleaseOutcome> {
  const present = await holdersNow(mutex, lockName);
  const seen = present.filter((holder) => tokens.includes(holder.fencingToken));
  const holderIds = seen.map(({ acquisitionId }) => acquisitionId);
  if (seen.length > 0 && (await mutex.releaseLock(lockName, { force: true, holderIds }))) return "released";
  return (await holdersNow(mutex, lockName)).length === 0 ? "free" : "changed";
}

async function holdersNow(mutex: S3Mutex, lockName: string): Promise<readonly HolderReport[]> {
  return (await mutex.inspect(lockName))?.holders ?? [];
}

const SENTENCES: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) => `port ${port} on ${host} is taken: use another --port, or none for any that is free.`,
  EACCES: (_host, port) => `port ${port} is not allowed to this user: use a --port above 1023.`,
  EADDRNOTAVAIL: (host) => `${host} is not an address of this machine: leave --host out for 127.0.0.1.`,
  ENOTFOUND: (host) => `${host} is not an address of this machine: leave --host out for 127.0.0.1.`,
};
