import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from "node:async_hooks";
import { processWide } from "../../process-wide.js";
import { Scope } from "./scope.js";

/** One store for all mutexes of the process: each further one would slow every promise down. */
const storage = processWide("scopes", () => new AsyncLocalStorage<ReadonlyMap<object, Scope>>());

/**
 * Of workerd's storage, functions can be run in it, and it cannot be entered. A bare call opens no line there: its locks belong to the
 * function that it is made in, or to no line of work.
 */
const canBeEntered = (() => {
  try {
    storage.run(new Map(), () => storage.enterWith(new Map()));
    return true;
  } catch {
    return false;
  }
})();

/**
 * Up to Node 22 a context that is entered belongs to the resource that runs: the next tick of an interval finds what this one has
 * entered, as if it went on with that. The code that does go on after an `await` runs on a resource of its own.
 */
const doResourcesKeepContexts = (() => {
  if (!canBeEntered) return false;
  const resource = new AsyncResource("s3-mutex.scopes");
  resource.runInAsyncScope(() => storage.enterWith(new Map()));
  return resource.runInAsyncScope(() => storage.getStore() !== undefined);
})();

/** The scopes of one mutex. */
export class Scopes {
  /** By resource, the line that was last entered there, and what it was in before. */
  readonly #entered = new WeakMap<object, { readonly line: Scope; readonly before: Scope | undefined }>();

  /** The scope that the code which is running now is in. */
  get current(): Scope | undefined {
    const scope = storage.getStore()?.get(this);
    const entered = doResourcesKeepContexts ? this.#entered.get(executionAsyncResource()) : undefined;
    return entered !== undefined && entered.line === scope ? entered.before : scope;
  }

  /** Makes a bare call: the rest of its caller's asynchronous context is in a line of its own from then on. */
  async line<T>(call: (line: Scope) => Promise<T>): Promise<T> {
    const before = this.current;
    const line = new Scope("line", before);
    if (canBeEntered) storage.enterWith(this.#with(line));
    if (doResourcesKeepContexts) this.#entered.set(executionAsyncResource(), { line, before });
    try {
      return await call(line);
    } finally {
      line.settle();
    }
  }

  /** Notes a call that takes nothing, whose caller stays where it is: beside one that still asks for its lock, it is another task's. */
  noteCall(): void {
    storage.getStore()?.get(this)?.noteCompany();
  }

  /** Makes the scope of a function, whose caller stays where it is; a bare call takes its caller into a line of its own. */
  #functionScope(kind: "callback" | "scope"): Scope {
    this.noteCall();
    return new Scope(kind, this.current);
  }

  /** Takes something, and runs a function that has it; undefined where it was not to be had. */
  async callback<Held, T>(
    take: (scope: Scope) => Promise<Held | undefined>,
    fn: (held: Held) => Promise<T>,
  ): Promise<{ readonly result: T } | undefined> {
    const scope = this.#functionScope("callback");
    try {
      const held = await take(scope);
      return held === undefined ? undefined : { result: await storage.run(this.#with(scope), () => fn(held)) };
    } finally {
      scope.settle();
    }
  }

  /** Runs a function as one line of work, inside of the present one. */
  run<T>(fn: () => T): T {
    const scope = this.#functionScope("scope");
    const settle = () => scope.settle();
    try {
      const result = storage.run(this.#with(scope), fn);
      // Nothing but a promise is listened to: `then` of another thing may be what sets it off.
      if (result instanceof Promise) result.then(settle, settle);
      else settle();
      return result;
    } catch (error) {
      settle();
      throw error;
    }
  }

  /** Runs a function outside of all scopes. */
  detached<T>(fn: () => T): T {
    const others = new Map(storage.getStore());
    others.delete(this);
    return storage.run(others, fn);
  }

  #with(scope: Scope): ReadonlyMap<object, Scope> {
    return new Map(storage.getStore()).set(this, scope);
  }
}
