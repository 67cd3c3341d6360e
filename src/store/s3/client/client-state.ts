import type { S3Client } from "@aws-sdk/client-s3";
import type { S3MutexError } from "../../../errors.js";
import { processWide } from "../../../process-wide.js";
import { InFlightLimiter } from "./in-flight.js";

/** What was learnt about a bucket through a client; shared by all stores over the two. */
export interface BucketState {
  readonly etagForm: EtagFormState;
  readonly absence: AbsenceState;
  readonly bodyHash: BodyHashState;
  readonly checksum: ChecksumState;
  readonly listing: ListingState;
  readonly versions: VersionsState;
  readonly keyLength: KeyLengthState;
  /** A probe that runs or has ended with a certain result; see `conditional-delete.ts`. */
  conditionalDelete?: Promise<unknown> | undefined;
  /** A creation that runs or has succeeded; see `bucket.ts`. */
  creation?: Promise<unknown> | undefined;
}

/** What a bucket was seen to do about long keys. */
export interface KeyLengthState {
  /** Shapes of keys that a write has succeeded with: nothing about those is a matter of their length. */
  readonly taken: Set<string>;
  /** Probes that run, by the shape that they ask about. */
  readonly probes: Map<string, Promise<boolean>>;
  /** Outages meet long keys as well: they are asked about once in a while. */
  askAgainAtMs: number;
}

/** Which prefixes the store lists: any, or only those that are folders, as directory buckets do. Undefined while unknown. */
export interface ListingState {
  prefixes?: "any" | "folders" | undefined;
}

/** With what a store wants each write to be sealed; shared by all that write to it. */
export interface ChecksumState {
  /** Sent with each write since the store has asked for it. */
  kind?: ChecksumKind | undefined;
  /** Those that it has refused all the same. */
  readonly refused: Set<ChecksumKind>;
}

export type ChecksumKind = "crc32" | "md5";

export interface VersionsState {
  /** Whether an answer has shown a version or a delete marker. */
  areKept?: boolean;
}

export interface AbsenceState {
  /** How the store says that a key is absent: `named` is NoSuchKey. Undefined while that was not seen. */
  looks?: string | undefined;
  probe?: Promise<unknown> | undefined;
}

export interface BodyHashState {
  /** Whether the ETags that the store gave to writes were the MD5 of their bodies; undefined while none has shown it. */
  isMd5?: boolean | undefined;
  /** Whether a write was found stored whose answer had no mark of S3: then the lack of one says nothing here. */
  leavesUnmarked?: boolean;
  /** The last write whose ETag was not its hash, for which a read can show whether the store gave it. */
  unproven?: { readonly etag: string; readonly bytes: Buffer; readonly isUnmarked: boolean } | undefined;
  /** By the hash of what was read, an ETag that it came under and that is another one. */
  readonly unlike: Map<string, string>;
}

export interface EtagFormState {
  form: EtagForm;
  /** Whether a conditional success or a probe has shown that the form is right. */
  settled: boolean;
  /** The ETags, by key, under which a conflict came while the form was not settled. */
  readonly suspects: Map<string, string>;
  probe?: Promise<unknown> | undefined;
  /** Ways of showing ETags that a probe has explained; see `reshaped-etags.ts`. */
  readonly shapes: Map<string, ShapeMeaning>;
  shapeProbe?: Promise<unknown> | undefined;
}

/** Of the credentials that the client signs with; see `credentials.ts`. */
export interface CredentialsState {
  /** Who they were of when they were last asked for anew. */
  identity?: string;
  askedAtMs?: number;
  /** When the store has last taken credentials of the client. */
  takenAtMs?: number;
  /** Since when there is another secret than before. */
  newSecretAtMs?: number;
  asking?: Promise<void> | undefined;
  /** What the provider failed with when it was last asked anew. */
  failure?: { readonly cause: unknown } | undefined;
  /** What the store has refused them with, as long as it has taken none since. */
  refusal?: S3MutexError | undefined;
}

/** `strong`: conditions want the strong ETag under it. `literal`: they want it as it is shown. */
export type ShapeMeaning = "strong" | "literal";

/** How an ETag is sent in a condition: as the store returned it, or without the quotes. */
export type EtagForm = "as-returned" | "unquoted";

export interface ClientState {
  readonly inFlight: InFlightLimiter;
  readonly credentials: CredentialsState;
  /** What the store, or a proxy before it, has called itself last (`Server`). */
  server?: string | undefined;
  /** Which program it is, where something that only this one sends has shown that, whatever it calls itself. */
  program?: string | undefined;
  bucket(name: string): BucketState;
}

const states = processWide("client-states", () => new WeakMap<S3Client, ClientState>());

/** Finds or makes the state of a client; of several stores over one client, the first decides about `maxInFlight`. */
export function stateOf(client: S3Client, maxInFlight: number): ClientState {
  const known = states.get(client);
  if (known !== undefined) return known;
  const buckets = new Map<string, BucketState>();
  const created: ClientState = {
    inFlight: new InFlightLimiter(maxInFlight),
    credentials: {},
    bucket(name) {
      let state = buckets.get(name);
      if (state === undefined) {
        state = {
          etagForm: { form: "as-returned", settled: false, suspects: new Map(), shapes: new Map() },
          absence: {},
          bodyHash: { unlike: new Map() },
          checksum: { refused: new Set() },
          listing: {},
          versions: {},
          keyLength: { taken: new Set(), probes: new Map(), askAgainAtMs: Number.NEGATIVE_INFINITY },
        };
        buckets.set(name, state);
      }
      return state;
    },
  };
  states.set(client, created);
  return created;
}

/**
 * Reads the size of the client's socket pool as far as it can be seen without touching private parts: handlers tell it from their first
 * request on. Until then a burst may wait for sockets of a pool that was made smaller than 50.
 */
export function socketsOf(client: S3Client): number | undefined {
  const handler = client.config.requestHandler as { httpHandlerConfigs?: () => object } | undefined;
  const config = handler?.httpHandlerConfigs?.() as { httpAgent?: Agent; httpsAgent?: Agent } | undefined;
  const sizes = [config?.httpAgent?.maxSockets, config?.httpsAgent?.maxSockets];
  const known = sizes.filter((size): size is number => typeof size === "number" && size > 0);
  return known.length === 0 ? undefined : Math.min(...known);
}

interface Agent {
  readonly maxSockets?: unknown;
}
