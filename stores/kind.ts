/** A store that can be installed and started here without a container. */
export interface StoreKind {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** Part of `npm run stores` without options, which CI runs. */
  readonly isInShortForm: boolean;
  /** Not getting it to run is a failure, not a reason to skip it. */
  readonly isRequired: boolean;
  /** That a run finds a fault of it is a failure. */
  readonly isKnownToBeSafe?: true;
  /** A fault that a run need not meet: a race, say. It is unsafe all the same. */
  readonly knownFault?: string;
  /** Where it comes from. */
  readonly source: string;
  /** Rejects with `NotInstallable` where that cannot be done. */
  install(): Promise<Installation>;
}

export interface Installation {
  readonly version: string;
  start(options: StartOptions): Promise<RunningStore>;
}

export interface StartOptions {
  /** The ports of its endpoints; free ones where there is none given. */
  readonly ports: readonly number[];
  /** Where it keeps its data and logs; exists. */
  readonly dataFolder: string;
  /** Whether what is in the folder will be wanted again. */
  readonly keepData: boolean;
  /** How many gateways to one and the same data, for stores that can. */
  readonly gateways: number;
}

export interface Gateway {
  readonly endpoint: string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Starts the same again, on the same port; resolves when it answers. */
  restart(): Promise<void>;
}

export interface RunningStore {
  readonly gateways: readonly Gateway[];
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly region: string;
  stop(): Promise<void>;
}

/** Where a run takes place: everything, and the turns of two processes on a bucket where no lock was. */
export const BUCKETS = ["s3-mutex-stores", "s3-mutex-stores-turns"] as const;

/** The reason why a store cannot be had on this machine: no toolchain, or a registry without it. */
export class NotInstallable extends Error {
  override readonly name = "NotInstallable";
}
