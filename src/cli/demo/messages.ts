/** What a worker of the demo is told by the parent, which keeps the ledger. */
export type ToWorker =
  | { readonly kind: "work-with-lock" }
  /** Finish the turn that is under way, and no more. */
  | { readonly kind: "stop" }
  | { readonly kind: "work-without-lock"; readonly updates: number }
  | { readonly kind: "exit" }
  /** The answer to `read`: the number in the ledger's last line. */
  | { readonly kind: "last"; readonly number: number }
  /** The answer to `append`. */
  | { readonly kind: "appended"; readonly accepted: boolean };

/** What a worker says. Of `read` and `append`, one is under way at a time. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "waiting" }
  | { readonly kind: "holding"; readonly token: number }
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "read"; readonly token: number | undefined }
  | { readonly kind: "append"; readonly number: number; readonly token: number | undefined }
  | { readonly kind: "idle" };

/** How the workers reach the lock; the demo's leases are short so that it does not take long. */
export interface WorkerSettings {
  readonly endpoint: string;
  readonly bucketName: string;
  readonly leaseMs: number;
  readonly toleranceMs: number;
}
