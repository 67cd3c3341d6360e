import {
  checkBoolean,
  checkDuration,
  checkFunction,
  checkKeyText,
  checkOptions,
  withDefault,
} from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import { DEFAULT_REST_MS } from "../core/transition/remove.js";
import { S3MutexError } from "../errors.js";
import type { Settings } from "../options/mutex-options.js";
import type { Acquirer } from "../primitives/acquirer.js";
import { CLEANUP_OPTIONS, type CleanupOptions, type ForceOptions } from "../primitives/call-options.js";
import type { Locator } from "../primitives/locator.js";
import type { LocalQueues } from "../runtime/acquire/local-queue.js";
import type { Context } from "../runtime/base/context.js";
import type { Lease } from "../runtime/hold/lease.js";
import { type CleanupReport, cleanupAll } from "../runtime/inspect/cleanup.js";
import type { Scope } from "../runtime/scopes/scope.js";
import type { Scopes } from "../runtime/scopes/scopes.js";
import { checkForce } from "./force.js";
import { NamedLocks } from "./named-locks.js";

/** The calls of s3-mutex 1.x: what they take, and which lock they are about. */
export class CallsByName {
  readonly #context: Context;
  readonly #settings: Settings;
  readonly #acquirer: Acquirer;
  readonly #locator: Locator;
  readonly #scopes: Scopes;
  readonly #named: NamedLocks;

  constructor(
    context: Context,
    settings: Settings,
    {
      acquirer,
      localQueues,
      locator,
      scopes,
    }: Readonly<{ acquirer: Acquirer; localQueues: LocalQueues; locator: Locator; scopes: Scopes }>,
  ) {
    this.#context = context;
    this.#settings = settings;
    this.#acquirer = acquirer;
    this.#locator = locator;
    this.#scopes = scopes;
    this.#named = new NamedLocks(context, localQueues, scopes, settings.leaseMs);
  }

  async acquire(lockName: string, timeoutMs: number | undefined, priority: number): Promise<boolean> {
    const patienceMs = this.#acquirer.patienceMs(undefined);
    const object = this.#locator.lock(lockName);
    const call = { options: { timeoutMs, priority }, patienceMs, via: "name", mayNest: false } as const;
    const take = async (scope: Scope) => {
      let lease: Lease | undefined;
      try {
        lease = await this.#acquirer.lease({ name: lockName }, { ...call, scope });
      } finally {
        if (lease === undefined) this.#named.noteRefusal(object, scope);
      }
      if (lease?.standing.wasClosed) return this.#acquirer.giveBackUnseen(lease);
      if (lease !== undefined) this.#named.add(object, lease, scope);
      return lease !== undefined;
    };
    try {
      return await this.#scopes.line(take);
    } catch (error) {
      if (!S3MutexError.is(error, "deadlock")) throw error;
      this.#context.logger.warn(`acquireLock(${JSON.stringify(lockName)}) gave way`, { err: error });
      return false;
    }
  }

  async release(lockName: string, options: boolean | ForceOptions): Promise<boolean> {
    this.#scopes.noteCall();
    const force = checkForce(options);
    return force.isForced
      ? this.#named.forceRelease(this.#locator.lock(lockName), force.seen)
      : this.#named.release(this.#locator.heldLock(lockName));
  }

  async refresh(lockName: string): Promise<boolean> {
    this.#scopes.noteCall();
    return this.#named.refresh(this.#locator.heldLock(lockName));
  }

  async isLocked(lockName: string): Promise<boolean> {
    this.#scopes.noteCall();
    return this.#named.isLocked(this.#locator.lock(lockName));
  }

  async isOwnedByUs(lockName: string): Promise<boolean> {
    this.#scopes.noteCall();
    return this.#named.isOwnedByUs(this.#locator.heldLock(lockName));
  }

  async delete(lockName: string, options: boolean | ForceOptions): Promise<boolean> {
    this.#scopes.noteCall();
    const force = checkForce(options);
    const object = force.isForced ? this.#locator.lock(lockName) : this.#locator.heldLock(lockName);
    return this.#named.delete(object, { force, restMs: DEFAULT_REST_MS });
  }

  async cleanUp(options: CleanupOptions): Promise<CleanupReport> {
    this.#locator.checkOpen();
    this.#scopes.noteCall();
    checkOptions("options", options, CLEANUP_OPTIONS);
    const { keyPrefix } = this.#settings;
    const prefix = withDefault("prefix", options.prefix, keyPrefix, checkKeyText);
    if (!prefix.startsWith(keyPrefix)) {
      throw invalidArgument("prefix", prefix, `start it with the keyPrefix, ${JSON.stringify(keyPrefix)}`);
    }
    return cleanupAll(this.#context, {
      prefix,
      dryRun: withDefault("dryRun", options.dryRun, false, checkBoolean),
      command: {
        olderThanMs: withDefault("olderThan", options.olderThan, undefined, checkDuration),
        includeReleased: withDefault("includeReleased", options.includeReleased, false, checkBoolean),
        restMs: withDefault("restMs", options.restMs, DEFAULT_REST_MS, checkDuration),
      },
      onProgress: withDefault<CleanupOptions["onProgress"]>("onProgress", options.onProgress, undefined, checkFunction),
      lockOf: (key) => this.#locator.peek(key),
    });
  }
}
