import type { CloseOptions } from "../primitives/closing.js";

/** A lock that a callback runs under; without any power of its own, as the standard has it. */
export interface WebLock {
  readonly name: string;
  readonly mode: WebLockMode;
}

/** `shared`: together with others who share it. */
export type WebLockMode = "exclusive" | "shared";

/** Options of {@link LockManager.request}. */
export interface WebLockOptions {
  /** @default "exclusive" */
  readonly mode?: WebLockMode | undefined;
  /** Call back at once, with null where the lock is not to be had. @default false */
  readonly ifAvailable?: boolean | undefined;
  /** Take the lock from its holder, before all waiters. @default false */
  readonly steal?: boolean | undefined;
  /** Aborted: stop waiting. It does not touch a lock that was granted. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link LockManager.query} says of one request. */
export interface WebLockInfo {
  readonly name: string;
  readonly mode: WebLockMode;
  /** The `ownerId` of the manager that made the request. */
  readonly clientId: string;
}

/** What is held and waited for. */
export interface WebLockSnapshot {
  readonly held: WebLockInfo[];
  readonly pending: WebLockInfo[];
}

/** What `navigator.locks` is in a browser, across machines. */
export interface LockManager extends AsyncDisposable {
  /**
   * Calls back when the lock is granted, and holds it until the promise that the callback returns is settled.
   * @returns what the callback returned, once the lock was released
   * @throws TypeError and DOMExceptions as the standard says: `NotSupportedError`, `InvalidStateError` (closed), `AbortError`
   * when the lock was lost or stolen while it was held, the signal's reason; S3MutexError when the store is the problem
   */
  request<T>(name: string, callback: (lock: WebLock) => T): Promise<Awaited<T>>;
  request<T>(name: string, options: WebLockOptions, callback: (lock: WebLock | null) => T): Promise<Awaited<T>>;
  /**
   * Lists what is held and waited for, by all clients: each name by itself, not all at one moment.
   * @throws DOMExceptions: `InvalidStateError` (closed before), `AbortError` (closed meanwhile); S3MutexError where it is not known of a
   * name who holds it, with `lockName`: the store does not answer for it, or its object is not a record that can be read
   */
  query(): Promise<WebLockSnapshot>;
  /**
   * Refuses new requests, ends those that wait (`AbortError`), and waits for the callbacks that run, 7 seconds by default: each lock
   * is given back when its callback has ended. A request whose callback goes on after that rejects with `AbortError`; its lock is
   * not given away, and is free when its lease ends.
   */
  close(options?: Pick<CloseOptions, "graceMs">): Promise<void>;
}
