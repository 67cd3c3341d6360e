import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { WeatherName } from "./store/weather.js";

/** What makes a worker a bad one, so that it can be seen that the checks notice. Set by CHAOS_BREAK. */
export const BREAKAGES = ["ignore-lock", "old-token", "keep-lock"] as const;
export type Breakage = (typeof BREAKAGES)[number];

/** How to reach the store. Without credentials the SDK looks for them itself. */
export interface StoreAddress {
  readonly client: Pick<S3ClientConfig, "endpoint" | "region" | "forcePathStyle"> & {
    readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly bucketName: string;
  readonly keyPrefix: string;
}

export interface LockSettings extends StoreAddress {
  readonly lockNames: readonly string[];
  readonly leaseMs: number;
  readonly toleranceMs: number;
}

export interface WorkerSettings extends LockSettings {
  readonly name: string;
  readonly seed: number;
  readonly resourcePort: number;
  /** Where it writes down what was acknowledged to it. */
  readonly journalPath: string;
  readonly breakage?: Breakage;
}

/** What a worker counts; the conductor adds up. */
export type Counts = Record<string, number>;

export interface ToWorker {
  /** Finish the turns that are under way, and no more. */
  readonly kind: "stop";
}

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "counts"; readonly counts: Counts }
  | { readonly kind: "note"; readonly text: string }
  /** Something that no fault explains. */
  | { readonly kind: "wrong"; readonly text: string };

export interface ToStore {
  readonly kind: "weather";
  readonly name: WeatherName;
  readonly seed: number;
}

export type FromStore =
  | { readonly kind: "listening"; readonly port: number }
  /** Since the last message: how many requests came, and how many of them were struck by a fault. */
  | { readonly kind: "counts"; readonly counts: Counts };

export type FromProxies =
  | { readonly kind: "listening"; readonly ports: readonly number[] }
  /** Since the last message: what became of the time that answers told. */
  | { readonly kind: "counts"; readonly counts: Counts };

export type ToResource =
  /** Kill it when the conductor is gone: a frozen worker would not notice. */
  | { readonly kind: "guard"; readonly pid: number }
  | { readonly kind: "unguard"; readonly pid: number }
  /** Answered as soon as one of them is in a critical section, or when the time is up. */
  | { readonly kind: "who-is-inside"; readonly of: readonly number[]; readonly waitMs: number }
  | { readonly kind: "tally" };

export type FromResource =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "inside"; readonly pids: readonly number[] }
  | { readonly kind: "tally"; readonly tally: Tally }
  | { readonly kind: "takeover"; readonly text: string }
  | { readonly kind: "refused"; readonly text: string; readonly pid: number; readonly wasSure: boolean }
  | { readonly kind: "violation"; readonly violation: Violation };

/** What may never happen, whatever else does. */
export interface Violation {
  readonly kind: "lost-update" | "token-fell" | "token-granted-twice";
  readonly text: string;
}

export interface LockTally {
  readonly lockName: string;
  readonly highestToken: number;
  /** Updates that the token check let through, and what its counter says: the same, or updates were lost. */
  readonly accepted: number;
  readonly counter: number;
  /** Updates without any check, and what that counter says. */
  readonly plainWrites: number;
  readonly plainCounter: number;
  readonly refused: number;
  readonly takeovers: number;
}

export interface Tally {
  readonly locks: readonly LockTally[];
  readonly violations: Readonly<Record<Violation["kind"], number>>;
}
