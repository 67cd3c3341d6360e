import type { Configuration } from "./configuration.js";
import {
  ABSENT,
  ANY,
  type Client,
  clientAt,
  etagOf,
  type Request,
  type SentWrite,
  type Snapshot,
  type Thread,
  type World,
  writeId,
} from "./state.js";
import type { LoopRules } from "./subject.js";

/** The store, and what may happen to requests on their way. */

/** Whether the condition of a request holds now. */
export function holds(world: World, { condition }: Request): boolean {
  return condition === ANY || condition === etagOf(world.object);
}

/** Whether its client still waits for the answer. */
export function isAwaited(world: World, request: Request): boolean {
  const { main, side } = clientAt(world, request.client);
  return isWriteOf(main, request) || isWriteOf(side, request);
}

export function isWriteOf(thread: Thread | undefined, { write }: Request): boolean {
  return thread !== undefined && thread.step === "writing" && thread.write === write;
}

/** The store applies it: the object changes. */
export function applyRequest(next: World, request: Request): void {
  next.object = request.version;
}

export function replaceRequest(next: World, request: Request, ...by: readonly Request[]): void {
  next.requests = next.requests.flatMap((other) => (other === request ? by : [other]));
}

/** Whether it can still take effect, now or later: a version that was replaced never comes back, if ETags are unique. */
export function canStillLand(world: World, config: Configuration, request: Request, rules: LoopRules): boolean {
  if (request.applied) return false;
  if (config.removal !== undefined && world.now >= request.sentTick + config.removal.requestLifeTicks) return false;
  if (holds(world, request) || rules.etagsRepeat) return true;
  return request.condition === ABSENT && config.removal !== undefined;
}

/**
 * Forgets what cannot matter any more, so that states that differ only in it are one: requests that can neither land nor
 * be answered, snapshots of versions that are gone (a write conditioned on one is only refused, and leads to a read), and
 * writes of which nobody will ask again.
 */
export function settle(world: World, config: Configuration, rules: LoopRules): void {
  world.requests = world.requests.filter(
    (request) => isAwaited(world, request) || canStillLand(world, config, request, rules),
  );
  for (const [index, client] of world.clients.entries()) {
    const latest = isOutdated(world, config, client.latest, rules) ? undefined : client.latest;
    const main = neededOf(world, client.main);
    const attempts = neededAttempts(world, client, rules);
    if (latest === client.latest && attempts === client.attempts && main === client.main) continue;
    world.clients[index] = { ...client, latest, attempts, main };
  }
}

function isOutdated(world: World, config: Configuration, snapshot: Snapshot | undefined, rules: LoopRules): boolean {
  if (snapshot === undefined || rules.etagsRepeat) return false;
  if (snapshot.version === undefined) return world.object !== undefined && config.removal === undefined;
  return snapshot.version.etag !== etagOf(world.object);
}

function neededAttempts(world: World, client: Client, rules: LoopRules): readonly SentWrite[] {
  if (client.attempts.length === 0) return client.attempts;
  if (client.phase === "dead" || (client.phase === "idle" && client.main === undefined)) return [];
  const needed = client.attempts.filter((sent) => sent.unresolved || isReadingNeeded(world, client, sent.write, rules));
  return needed.length === client.attempts.length ? client.attempts : needed;
}

/** Whether a hold of this write may still be found in the record, and its lease be counted. */
export function isReadingNeeded(world: World, client: Client, write: number, rules: LoopRules): boolean {
  const { main, phase } = client;
  if (rules.countsFromLastAttempt) return phase !== "ending";
  const isAsking = phase === "asking" || phase === "waiting" || phase === "confirming";
  if (!isAsking && !(phase === "holding" && main?.sent.includes(write))) return false;
  const renewal = writeId(write);
  if (world.requests.some((request) => request.write === write)) return true;
  const seen = [world.object, main?.base?.version, client.latest?.version];
  return seen.some((version) => version?.record.holders.some((holder) => holder.renewal === renewal));
}

/** A renewal recognises what it has sent itself, as long as that can be found. */
function neededOf(world: World, thread: Thread | undefined): Thread | undefined {
  if (thread === undefined || thread.sent.length === 0) return thread;
  if (thread.operation !== "renew" && thread.operation !== "confirm") return thread;
  const sent = thread.sent.filter(
    (write) =>
      write === thread.write ||
      world.requests.some((request) => request.write === write) ||
      [world.object, thread.base?.version].some((version) =>
        version?.record.holders.some((holder) => holder.renewal === writeId(write)),
      ),
  );
  return sent.length === thread.sent.length ? thread : { ...thread, sent };
}
