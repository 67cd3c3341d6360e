import type { Holder } from "../src/core/record.js";
import { aheadMs, behindMs, type Clock, widestOf } from "./clocks.js";
import type { Configuration } from "./configuration.js";
import {
  ABSENT,
  type Client,
  clientOf,
  type Ghost,
  indexWithinClient,
  type Request,
  TICK_MS,
  type Version,
  type World,
} from "./state.js";

/**
 * What has to be true, said in terms of the state alone: nothing here calls what is checked. The one thing that is asked of
 * the subject is what a client believes, since that is what is in question; it comes in as numbers.
 */

export interface Violation {
  readonly invariant:
    | "one believer"
    | "deadline before expiry"
    | "tokens grow"
    | "nothing is left"
    | "nothing young is removed"
    | "no waiter is overtaken"
    | "nothing is dated back"
    | "no transition fails"
    | "nothing ends early"
    | "what has ended stays ended"
    | "closed is closed"
    | "inside until the end"
    | "the dead are dropped";
  readonly says: string;
}

/** For how much longer each client believes that it holds, in milliseconds; 0 for clients that do not. */
export type Beliefs = readonly number[];

/** Says what is wrong with a state. */
export function problemOfState(world: World, config: Configuration, beliefs: Beliefs): Violation | undefined {
  const left = leftovers(world, config);
  if (left !== undefined || config.promises === "tokens") return left;
  return (
    believers(world, config, beliefs) ?? deadlines(world, config, beliefs) ?? closed(world) ?? inside(world, beliefs)
  );
}

/** Says what is wrong with a step in which the object changed, given the request that changed it. */
export function problemOfChange(
  before: World,
  after: World,
  request: Request,
  config: Configuration,
): Violation | undefined {
  if (after.object === undefined) return removal(before, request, config);
  const version = after.object;
  const byTokens = tokens(before, version);
  if (byTokens !== undefined || config.promises === "tokens") return byTokens;
  return (
    overtaken(before, version, config) ??
    deadWaiter(version, config) ??
    datedBack(before, version, request, config) ??
    endedEarly(before, version, config) ??
    renewedTooLate(before, request, config)
  );
}

/** Returns what checkers remember of a change. */
export function ghostAfter(before: World, version: Version | undefined): Ghost {
  const { ghost } = before;
  if (version === undefined) return ghost;
  const lastToken = newHolders(before.object, version).reduce(
    (last, { token }) => Math.max(last, token),
    ghost.lastToken,
  );
  const wasHeld = (before.object?.record.holders.length ?? 0) > 0;
  const isFreed = wasHeld && version.record.holders.length === 0;
  const freedTick = isFreed ? version.sentTick : ghost.freedTick;
  if (lastToken === ghost.lastToken && freedTick === ghost.freedTick) return ghost;
  return { lastToken, freedTick };
}

/** Lists the clients that lost a hold to an operator that asked for just that. */
export function forcedOutBy(before: World, request: Request): readonly number[] {
  if (request.operation !== "force" && request.operation !== "delete") return [];
  const after = new Set(request.version?.record.holders.map(({ id }) => id));
  const lost = before.object?.record.holders.filter(({ id }) => !after.has(id)) ?? [];
  return lost.map(({ id }) => clientOf(Number(id.slice(1))));
}

// ---------------------------------------------------------------------------------------------------------------------

function believers(world: World, config: Configuration, beliefs: Beliefs): Violation | undefined {
  const believing = [...world.clients.keys()].filter(
    (index) => (beliefs[index] ?? 0) > 0 && !world.clients[index]?.forcedOut,
  );
  if (believing.length <= 1 || believing.every((index) => config.clients[index]?.mode === "shared")) return undefined;
  const names = believing.map((index) => `client ${index}`);
  return { invariant: "one believer", says: `${names.join(" and ")} believe that they hold the lock` };
}

/** Checks that, in true time, the deadline comes before the published expiry, but for what the client's clock may be slow. */
function deadlines(world: World, config: Configuration, beliefs: Beliefs): Violation | undefined {
  const nowMs = world.now * TICK_MS;
  for (const [index, client] of world.clients.entries()) {
    const beliefMs = beliefs[index] ?? 0;
    if (beliefMs <= 0 || client.holding === undefined) continue;
    const slowMs = behindMs(config.clients[index]?.clocks ?? []);
    const lateMs = nowMs + beliefMs - (client.holding.holder.expiresAtMs + slowMs);
    if (lateMs < 0) continue;
    const says = `client ${index} means to believe for ${lateMs} ms after the expiry that the record shows`;
    return { invariant: "deadline before expiry", says };
  }
  return undefined;
}

/** Checks that, once an acquisition is over and its clean-up done, the record has nothing of it and nothing of it can land. */
function leftovers(world: World, config: Configuration): Violation | undefined {
  const inRecord = world.object?.entries.find((entry) => isOver(world, entry));
  if (inRecord !== undefined) {
    return { invariant: "nothing is left", says: `the record has an entry of ${nameOf(inRecord)}, which is over` };
  }
  for (const request of world.requests) {
    if (request.applied || !canLandNow(world, request, config)) continue;
    const entry = request.version?.entries.find((one) => clientOf(one) === request.client && isOver(world, one));
    if (entry === undefined) continue;
    return { invariant: "nothing is left", says: `a write of ${nameOf(entry)}, which is over, can still land` };
  }
  return undefined;
}

function canLandNow(world: World, { condition, sentTick }: Request, { removal }: Configuration): boolean {
  if (removal !== undefined && world.now >= sentTick + removal.requestLifeTicks) return false;
  return condition === (world.object === undefined ? ABSENT : world.object.etag);
}

function isOver(world: World, acquisition: number): boolean {
  const client = world.clients[clientOf(acquisition)] as Client;
  const isPresent = indexWithinClient(acquisition) === client.acquisitions - 1;
  return isPresent ? client.phase === "idle" : indexWithinClient(acquisition) < client.acquisitions - 1;
}

function nameOf(acquisition: number): string {
  return `acquisition ${indexWithinClient(acquisition) + 1} of client ${clientOf(acquisition)}`;
}

function newHolders(before: Version | undefined, after: Version) {
  const known = before?.record.holders ?? [];
  return after.record.holders.filter((holder) => !known.some(({ id }) => id === holder.id));
}

function tokens(before: World, version: Version): Violation | undefined {
  for (const { token } of newHolders(before.object, version)) {
    const { lastToken } = before.ghost;
    if (token <= lastToken) return { invariant: "tokens grow", says: `token ${token} is granted after ${lastToken}` };
  }
  return undefined;
}

function removal(before: World, request: Request, config: Configuration): Violation | undefined {
  const invariant = "nothing young is removed";
  const { record, sentTick } = before.object as Version;
  const nowMs = before.now * TICK_MS;
  const lastHolder = record.holders[0];
  if (lastHolder !== undefined) return { invariant, says: `an object is removed while ${lastHolder.id} holds it` };
  if (record.queue.some((waiter) => waiter.expiresAtMs >= nowMs)) {
    return { invariant, says: "an object is removed while a waiter waits for it" };
  }
  const restedMs = (request.sentTick - sentTick) * TICK_MS;
  const clocks = clocksIn(config);
  if (restedMs > (config.removal?.restMs ?? 0) - behindMs(clocks) - aheadMs(clocks)) return undefined;
  return { invariant, says: `an object is removed after ${restedMs} ms at rest` };
}

/** Checks that no waiter is overtaken: the shortest grace to come for a free lock is longer than 100 ms, and shorter than a tick. */
function overtaken(before: World, version: Version, config: Configuration): Violation | undefined {
  const [taker] = newHolders(before.object, version);
  if (config.entryLifeMs === undefined || taker === undefined || before.object === undefined) return undefined;
  if (before.ghost.freedTick !== version.sentTick || before.object.record.holders.length > 0) return undefined;
  const nowMs = version.sentTick * TICK_MS;
  const own = sinceOf(before, taker.id);
  const ahead = before.object.record.queue.find(
    (waiter) =>
      waiter.id !== taker.id &&
      waiter.expiresAtMs >= nowMs &&
      (waiter.priority > taker.priority || (waiter.priority === taker.priority && waiter.sinceMs < own)),
  );
  if (ahead === undefined) return undefined;
  return {
    invariant: "no waiter is overtaken",
    says: `${taker.id} takes the lock before ${ahead.id}, which was to be next`,
  };
}

/** Checks that a client that writes leaves out entries that have run out: no caller waits for waiters that have died. */
function deadWaiter({ record, sentTick }: Version, config: Configuration): Violation | undefined {
  const slowestMs = widestOf(clocksIn(config)).earliestMs;
  const dead = record.queue.find((waiter) => waiter.expiresAtMs < sentTick * TICK_MS + slowestMs);
  if (dead === undefined) return undefined;
  return { invariant: "the dead are dropped", says: `${dead.id} is kept in the queue, though its entry has run out` };
}

/** Checks that what is said to begin with a write does not begin before that was sent, but for what a wall clock may be behind. */
function datedBack(before: World, version: Version, request: Request, config: Configuration): Violation | undefined {
  const { record, sentTick } = version;
  const former = before.object?.record;
  const times: [string, number][] = [["touchedAtMs", record.touchedAtMs]];
  const { freeSinceMs } = record;
  if (freeSinceMs !== undefined && freeSinceMs !== former?.freeSinceMs) times.push(["freeSinceMs", freeSinceMs]);
  for (const { token } of newHolders(before.object, version)) times.push(["token", token]);
  for (const { id, expiresAtMs } of record.queue) {
    const isNew = !former?.queue.some((other) => other.id === id && other.expiresAtMs === expiresAtMs);
    if (isNew) times.push(["the beginning of an entry", expiresAtMs - (config.entryLifeMs ?? 0)]);
  }
  const fromMs = sentTick * TICK_MS - behindMs(config.clients[request.client]?.clocks ?? []);
  const [what, time] = times.find(([, ms]) => ms < fromMs) ?? [];
  if (what === undefined || time === undefined) return undefined;
  return { invariant: "nothing is dated back", says: `${what} is ${fromMs - time} ms before the write, or more` };
}

/** Checks that a lease is only taken for over when its published end has come, but for what a wall clock may be off. */
function endedEarly(before: World, { record, sentTick }: Version, config: Configuration): Violation | undefined {
  const nowMs = sentTick * TICK_MS + aheadMs(clocksIn(config));
  // A caller that was taken for over may be granted the lock again under the same id, and under another token.
  const isExpired = ({ token }: Holder) =>
    record.recent.some((turn) => turn.token === token && turn.ended === "expired");
  const early = before.object?.record.holders.find((holder) => holder.expiresAtMs >= nowMs && isExpired(holder));
  if (early === undefined) return undefined;
  const says = `the lease of ${early.id} counts as over ${early.expiresAtMs - nowMs} ms before its end, or more`;
  return { invariant: "nothing ends early", says };
}

/** Checks that a client that is told that a lease has ended may count on it, though no other has taken it. */
function renewedTooLate(before: World, request: Request, config: Configuration): Violation | undefined {
  const plan = config.clients[request.client];
  if (request.operation !== "renew" || !plan?.onlyUnexpired) return undefined;
  const held = before.object?.record.holders.find(({ id }) => clientOf(Number(id.slice(1))) === request.client);
  const lateMs = held === undefined ? 0 : request.sentTick * TICK_MS - held.expiresAtMs - behindMs(plan.clocks);
  if (held === undefined || lateMs < 0) return undefined;
  const says = `client ${request.client} goes on with a lease that had ended ${lateMs} ms before`;
  return { invariant: "what has ended stays ended", says };
}

/** Checks that nothing is sent after a close. */
function closed({ requests, clients }: World): Violation | undefined {
  const late = requests.find(({ client, write }) => write > (clients[client]?.closedAt ?? Number.POSITIVE_INFINITY));
  if (late === undefined) return undefined;
  return { invariant: "closed is closed", says: `client ${late.client} sends a write after it was closed` };
}

/** Checks that a client that is told to close gives nothing away while its function runs, and that no other takes it. */
function inside({ clients, object }: World, beliefs: Beliefs): Violation | undefined {
  const alone = clients.findIndex(({ isClosing, forcedOut, holding }, index) => {
    if (!isClosing || forcedOut || (beliefs[index] ?? 0) <= 0) return false;
    return !object?.record.holders.some(({ id }) => id === holding?.holder.id);
  });
  if (alone === -1) return undefined;
  return { invariant: "inside until the end", says: `client ${alone} works on, and the record does not say so` };
}

function clocksIn({ clients }: Configuration): readonly Clock[] {
  return clients.flatMap(({ clocks }) => clocks);
}

/** Says since when an acquisition has waited. */
function sinceOf(before: World, id: string): number {
  return before.clients[clientOf(Number(id.slice(1)))]?.sinceMs ?? 0;
}
