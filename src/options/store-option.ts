import { checkStorePlace } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import type { StoreAdapter } from "../store/object-store.js";

/** What goes to the store where it is made, or only an S3 client can do; with the remedy for a caller that asks a store for it. */
const NOT_WITH_A_STORE: Readonly<Record<string, string>> = {
  s3Client: "pass exactly one of s3Client, s3ClientConfig and store",
  s3ClientConfig: "pass exactly one of s3Client, s3ClientConfig and store",
  bucketName: "leave it out beside store, which knows where its objects are",
  storeHeaders: "leave it out beside store: an adapter that sends headers takes them where it is made",
};

/** Checks the options of a mutex that takes nothing but a store: an S3 client is refused by name. */
export function checkStoreAlone(options: Parameters<typeof checkStore>[0]): string {
  for (const name of ["s3Client", "s3ClientConfig"] as const) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined && options.store === undefined) {
      throw invalidArgument(
        name,
        value,
        'S3Mutex of "s3-mutex/port" takes a store: import the one of "s3-mutex" for S3 clients',
      );
    }
  }
  return checkStore(options);
}

/** The calls of the port, all of which an adapter has. */
const CALLS = ["read", "write", "remove", "list"] as const;

/**
 * Refuses what the store given cannot do, by name.
 * @returns what its place is called in messages and hand-overs
 */
export function checkStore(options: {
  readonly store?: unknown;
  readonly createBucketIfNotExists?: unknown;
  readonly verify?: unknown;
}): string {
  for (const [name, remedy] of Object.entries(NOT_WITH_A_STORE)) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) throw invalidArgument(name, value, remedy);
  }
  const { store, createBucketIfNotExists, verify } = options;
  const adapter = store as Partial<StoreAdapter> | null;
  const missing = CALLS.find((call) => typeof adapter?.[call] !== "function");
  if (missing !== undefined) {
    throw invalidArgument("store", store, `pass an ObjectStore, such as fetchStore({ ... }): it has no ${missing}()`);
  }
  if (createBucketIfNotExists === true) {
    const remedy =
      "leave it out beside store: create the bucket beforehand, or where the adapter is made if yours can do that";
    throw invalidArgument("createBucketIfNotExists", true, remedy);
  }
  if (verify === "once") {
    const remedy =
      'the full examination needs an S3 client; use "auto" beside store, and try the adapter with conformanceChecks() of s3-mutex/testing';
    throw invalidArgument("verify", verify, remedy);
  }
  return checkStorePlace("store.bucketName", adapter?.bucketName ?? UNNAMED);
}

const UNNAMED = "store";
