import { NOTHING_SENT, type SentWrite, type SentWrites } from "../src/core/client/write-log.js";
import type { Configuration } from "./configuration.js";
import {
  ABSENT,
  type Client,
  clientAt,
  etagOf,
  handedTo,
  numberOfWrite,
  type Request,
  type Snapshot,
  type Thread,
  type Version,
  type World,
  writeId,
} from "./state.js";

/** The store, and what may happen to requests on their way. */

/** Says whether the condition of a request holds now. */
export function holds(world: World, { condition }: Request): boolean {
  return condition === etagOf(world.object);
}

/** Says whether its client still waits for the answer. */
export function isAwaited(world: World, request: Request): boolean {
  const { main, side } = clientAt(world, request.client);
  return isWriteOf(main, request) || isWriteOf(side, request);
}

export function isWriteOf(thread: Thread | undefined, { write }: Request): boolean {
  return thread !== undefined && thread.step === "writing" && thread.write === write;
}

/** Applies it in the store: the object changes. */
export function applyRequest(next: World, request: Request): void {
  next.object = request.version;
}

export function replaceRequest(next: World, request: Request, ...by: readonly Request[]): void {
  next.requests = next.requests.flatMap((other) => (other === request ? by : [other]));
}

/** Says whether it can still take effect, now or later: a version that was replaced never comes back. */
export function canStillLand(world: World, config: Configuration, request: Request): boolean {
  if (request.applied) return false;
  if (config.removal !== undefined && world.now >= request.sentTick + config.removal.requestLifeTicks) return false;
  if (holds(world, request)) return true;
  return request.condition === ABSENT && config.removal !== undefined;
}

/**
 * Forgets what cannot matter any more, so that states that differ only in it are one: requests that can neither land nor
 * be answered, snapshots of versions that are gone (a write conditioned on one is only refused, and leads to a read), and
 * writes that will not be asked about again.
 */
export function settle(world: World, config: Configuration): void {
  world.requests = world.requests.filter(
    (request) => isAwaited(world, request) || canStillLand(world, config, request),
  );
  for (const [index, client] of world.clients.entries()) {
    const latest = isOutdated(world, config, client.latest) ? undefined : client.latest;
    const main = neededOf(world, client.main);
    const writeLog = neededWrites(world, client);
    if (latest === client.latest && writeLog === client.writeLog && main === client.main) continue;
    world.clients[index] = { ...client, latest, writeLog, main };
  }
}

function isOutdated(world: World, config: Configuration, snapshot: Snapshot | undefined): boolean {
  if (snapshot === undefined) return false;
  if (snapshot.version === undefined) return world.object !== undefined && config.removal === undefined;
  return snapshot.version.etag !== etagOf(world.object);
}

function neededWrites(world: World, client: Client): SentWrites {
  const { writeLog } = client;
  if (writeLog.sent.length === 0) return writeLog;
  if (client.phase === "dead" || (client.phase === "idle" && client.main === undefined)) return NOTHING_SENT;
  const isNeeded = (one: SentWrite) => one.isUnresolved || isReadingNeeded(world, client, one.writeId);
  const sent = writeLog.sent.filter(isNeeded);
  return sent.length === writeLog.sent.length ? writeLog : { ...writeLog, sent };
}

/** Says whether a hold of this write may still be found in the record, and its lease be counted. */
export function isReadingNeeded(world: World, client: Client, leaseWriteId: string): boolean {
  const { main, phase } = client;
  const isAsking = phase === "asking" || phase === "waiting" || phase === "confirming";
  const write = numberOfWrite(leaseWriteId);
  if (!isAsking && !(phase === "holding" && main?.sent.includes(write))) return false;
  if (handedTo(client)?.holder.leaseWriteId === leaseWriteId) return true;
  if (world.requests.some((request) => request.write === write)) return true;
  const seen = [world.object, main?.base?.version, client.latest?.version];
  return seen.some((version) => version?.record.holders.some((holder) => holder.leaseWriteId === leaseWriteId));
}

/**
 * Keeps of a loop what matters: renewals, and what operators do, recognise what they have sent by its id, as long as that can be found;
 * otherwise it only matters that something was sent.
 */
function neededOf(world: World, thread: Thread | undefined): Thread | undefined {
  if (thread === undefined || thread.sent.length === 0) return thread;
  const versions = [world.object, thread.base?.version];
  const isFindable = (write: number) =>
    write === thread.write ||
    world.requests.some((request) => request.write === write) ||
    versions.some((version) => version !== undefined && isFoundIn(version, write));
  const sent = thread.sent.filter(isFindable);
  if (sent.length === thread.sent.length) return thread;
  const isRenewal = thread.operation === "renew" || thread.operation === "confirm";
  return { ...thread, sent: sent.length === 0 && !isRenewal ? SOMETHING_SENT : sent };
}

function isFoundIn({ etag, record }: Version, write: number): boolean {
  return etag === write || record.holders.some((holder) => holder.leaseWriteId === writeId(write));
}

/** The name of no write: they are numbered from one. */
const SOMETHING_SENT = [0];
