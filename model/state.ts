import { type AcquisitionState, UNASKED } from "../src/core/client/acquisition.js";
import type { Remains } from "../src/core/client/leftovers.js";
import type { Passing } from "../src/core/client/passing.js";
import { NOTHING_SENT, type SentWrite, type SentWrites } from "../src/core/client/write-log.js";
import type { Holder, LockRecord } from "../src/core/record.js";
import type { ClockReading } from "../src/core/store-time.js";

/** Everything that one state of the model consists of. Values are shared between states: only fresh copies are written to. */

/** True time passes in steps of this many milliseconds. */
export const TICK_MS = 1000;
/** The tick at which every run begins: large enough for tokens that are times. */
export const FIRST_TICK = 1_700_000;

/** The name of "there is no object", where ETags are compared. */
export const ABSENT = 0;

export type Operation =
  | "poll"
  | "acquire"
  | "confirm"
  | "renew"
  | "release"
  | "cancel"
  | "force"
  | "delete"
  | "cleanup";

/** One body that was sent, landed or not. */
export interface Version {
  readonly etag: number;
  readonly record: LockRecord;
  /** The record as numbers, for fingerprints. */
  readonly code: Int32Array;
  /** Where the memory of turns begins in it; four pairs each. */
  readonly turnsFrom: number;
  /** The acquisitions that have an entry in it, see `acquisitionNumber`. */
  readonly entries: readonly number[];
  readonly sentTick: number;
  readonly operation: Operation;
}

/** What a client has seen of the object, and when it asked: in the order of events, as writes are. */
export interface Snapshot {
  readonly version: Version | undefined;
  readonly askedAtMs: number;
}

/** One compare-and-swap loop of a client. */
export interface Thread {
  readonly operation: Operation;
  /** `due`: about to decide; `reading`: the read is on its way; `read`: its answer is on its way back; `writing`: sent. */
  readonly step: "due" | "reading" | "read" | "writing";
  readonly base: Snapshot | undefined;
  /** Whether it was read for this very loop, or by a look for it. */
  readonly isFresh: boolean;
  readonly write: number;
  /** What this very command has sent, and whom it meant: it recognises its own work by them. */
  readonly sent: readonly number[];
  readonly meant: ReadonlySet<string> | undefined;
  /** Renewals that confirming a grant took so far. */
  readonly renewals: number;
  /** To which callers of the same process a release is to pass the lock on, and was before. */
  readonly passing: Passing<number>;
  /** What a cancel is to look for. */
  readonly entry: Remains["entry"];
}

/** `left`: it was closed before its work had ended or was answered; what it has runs out. */
export type Phase = "idle" | "asking" | "waiting" | "confirming" | "holding" | "ending" | "left" | "dead";

export interface Holding {
  readonly holder: Holder;
  /** The deadline counts from here. */
  readonly reading: ClockReading;
}

/** A grant as the record has it, and whether the answer that told it contradicts what was known of the time. */
export interface Grant {
  readonly holder: Holder;
  readonly contradicted: boolean;
}

export interface Client {
  phase: Phase;
  /** How many acquisitions were begun; the present one is the last of them. */
  acquisitions: number;
  /** When the present one began to wait, in the client's idea of store time. */
  sinceMs: number;
  /** Of none that was begun, it is over. */
  acquisition: AcquisitionState<Grant>;
  /** The signal that ends the loops of the present acquisition. */
  stopped: boolean;
  /** Acquiring, confirming, renewing: what is aborted by `stopped`. */
  main: Thread | undefined;
  /** Releasing, cancelling: what is not. */
  side: Thread | undefined;
  latest: Snapshot | undefined;
  /** The answers of looks since then are believed without another read. */
  lookedAt: number;
  /** Its writes were sent at their places in the order of events: that is what the monotonic clock is, but for ties. */
  writeLog: SentWrites;
  holding: Holding | undefined;
  /** How far the monotonic clock is behind, for having stood still. */
  lagMs: number;
  /** Its clocks have parted: an answer is needed before store time is known again. */
  disturbed: boolean;
  /** An operator took the lock away by force: only tokens protect from that. */
  forcedOut: boolean;
  /** Which of the clocks of its plan it has. */
  clock: number;
  /** It was told to close: nothing new is begun. */
  isClosing: boolean;
  /** It is closed: the last write that had a name then. */
  closedAt: number | undefined;
}

/** A write or removal on its way to the store, or its answer on the way back. */
export interface Request {
  readonly client: number;
  readonly write: number;
  readonly condition: number;
  /** Undefined: a removal. */
  readonly version: Version | undefined;
  readonly operation: Operation;
  readonly sentTick: number;
  /** It has been applied; the answer is under way. */
  readonly applied: boolean;
}

/** What only checkers know. */
export interface Ghost {
  readonly lastToken: number;
  /** When the write that freed the lock was sent. */
  readonly freedTick: number;
}

/** How often each kind of trouble may still happen. */
export interface Budget {
  /** Seconds that may pass. */
  readonly seconds: number;
  /** Answers to reads that take so long that something happens meanwhile. */
  readonly slow: number;
  readonly lost: number;
  readonly twice: number;
  readonly refused: number;
  readonly crash: number;
  readonly giveUp: number;
  readonly pause: number;
  /** A client knows more or less of store time than before. */
  readonly clock: number;
  readonly close: number;
  readonly force: number;
  readonly delete: number;
  readonly cleanup: number;
}

export interface World {
  now: number;
  object: Version | undefined;
  clients: Client[];
  requests: readonly Request[];
  ghost: Ghost;
  budget: Budget;
  /** Names given to writes so far. */
  writes: number;
  /** Events that were given a place in order so far: what monotonic clocks are, but for ties. */
  sequence: number;
}

const ACQUISITIONS = 16;

export function acquisitionId(client: number, acquisition: number): string {
  return `a${acquisitionNumber(client, acquisition)}`;
}

export function acquisitionNumber(client: number, acquisition: number): number {
  return client * ACQUISITIONS + acquisition;
}

export function numberOfAcquisition(id: string): number {
  return Number(id.slice(1));
}

export function clientOf(acquisition: number): number {
  return Math.floor(acquisition / ACQUISITIONS);
}

export function indexWithinClient(acquisition: number): number {
  return acquisition % ACQUISITIONS;
}

export function writeId(write: number): string {
  return `w${write}`;
}

export function numberOfWrite(id: string): number {
  return Number(id.slice(1));
}

/** Says on which version a write was conditioned, by the name of the write that made it. */
export function conditionOf({ etag }: SentWrite): number {
  return etag === undefined ? ABSENT : Number(etag);
}

/** Says the same the other way round: the ETag by which a log knows a version. */
export function etagNamed(name: number): string | undefined {
  return name === ABSENT ? undefined : String(name);
}

export function etagOf(version: Version | undefined): number {
  return version === undefined ? ABSENT : version.etag;
}

export function clientAt(world: World, index: number): Client {
  return world.clients[index] as Client;
}

/** Copies a world to make the next state of. */
export function fork(world: World): World {
  const { now, object, requests, ghost, budget, writes, sequence } = world;
  return { now, object, clients: world.clients.slice(), requests, ghost, budget, writes, sequence };
}

/** Copies one client in a copy of a world. */
export function edit(world: World, index: number): Client {
  const copy = { ...clientAt(world, index) };
  world.clients[index] = copy;
  return copy;
}

/** Nothing was begun, or nothing is left of it. */
export const NONE: AcquisitionState<Grant> = { ...UNASKED, phase: "over" };

/** Returns what a caller of its process has passed on to it and it has not taken up yet. */
export function handedTo({ phase, acquisition }: Client): Grant | undefined {
  return phase === "asking" || phase === "waiting" ? acquisition.granted : undefined;
}

export function idleClient(): Client {
  return {
    phase: "idle",
    acquisitions: 0,
    sinceMs: 0,
    acquisition: NONE,
    stopped: false,
    main: undefined,
    side: undefined,
    latest: undefined,
    lookedAt: 0,
    writeLog: NOTHING_SENT,
    holding: undefined,
    lagMs: 0,
    disturbed: false,
    forcedOut: false,
    clock: 0,
    isClosing: false,
    closedAt: undefined,
  };
}
