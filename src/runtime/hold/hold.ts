import type { Holder } from "../../core/record.js";
import type { S3MutexError } from "../../errors.js";
import type { Lease } from "./lease.js";
import type { Nest } from "./nest.js";

/** What a handle is a handle of: a lease, or what nests in one. */
export interface Hold {
  readonly holder: Holder;
  /** The lease that this is, or nests in, however deep. */
  readonly root: Lease;
  /** Who nests in it. */
  readonly nest: Nest;
  /** Aborted when the work under it has to end; never by its own release. */
  readonly signal: AbortSignal;
  /** The error, once it was lost. */
  readonly loss: S3MutexError | undefined;
  /** From the clocks, at this very moment: no timer has to have run. */
  readonly isHeld: boolean;
  /** For how much longer it is certainly held; 0 when it is not. */
  readonly remainingMs: number;
  /** Throws the loss if it is not held at this very moment. */
  assertHeld(): void;
  renew(): Promise<boolean>;
  /** Gives it back, once the functions that nest in it have ended; false when it was gone already. */
  release(): Promise<boolean>;
  /** Notes that a function that nests in it begins: it is given back only after that has ended. */
  share(): void;
  /** Notes that such a function has ended. */
  unshare(): Promise<boolean>;
  /** Calls back once when it has been given back or was lost. */
  onEnd(listener: () => void): void;
}
