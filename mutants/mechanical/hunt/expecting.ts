import type { ExpectStatic } from "@vitest/expect";

interface PollOptions {
  readonly timeout?: number;
  readonly interval?: number;
}

/** Makes an `expect` with what vitest adds to it, and the little of `vi` that tests use. */
export function expecting(expect: ExpectStatic): { readonly expect: object; readonly vi: object } {
  const poll = (look: () => unknown, options: PollOptions = {}) =>
    new Proxy(
      {},
      {
        get:
          (_, matcher: string) =>
          (...args: unknown[]) =>
            until(async () => {
              const assertion = expect(await look()) as unknown as Record<string, (...args: unknown[]) => unknown>;
              assertion[matcher]?.(...args);
            }, options),
      },
    );
  const waitFor = (look: () => unknown, options: PollOptions | number = {}) =>
    until(look, typeof options === "number" ? { timeout: options } : options);
  return {
    expect: Object.assign(expect, { poll }),
    vi: { waitFor, setConfig: () => {}, fn, spyOn, stubEnv, unstubAllEnvs },
  };
}

/** Makes a function that writes down what it is called with. */
function fn(run?: (...args: unknown[]) => unknown): unknown {
  const calls: unknown[][] = [];
  const called = (...args: unknown[]) => {
    calls.push(args);
    return run?.(...args);
  };
  return Object.assign(called, { mock: { calls }, _isMockFunction: true, getMockName: () => "fn" });
}

/** Lets a test put a method of its own in the place of this one. */
function spyOn(target: Record<string, unknown>, name: string): object {
  const original = target[name];
  return {
    mockImplementation(run: (...args: unknown[]) => unknown) {
      target[name] = run;
      return this;
    },
    mockRestore: () => void Object.assign(target, { [name]: original }),
  };
}

const environment = new Map<string, string | undefined>();

function stubEnv(name: string, value: string | undefined): void {
  if (!environment.has(name)) environment.set(name, process.env[name]);
  setEnv(name, value);
}

function unstubAllEnvs(): void {
  for (const [name, value] of environment) setEnv(name, value);
  environment.clear();
}

function setEnv(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** Looks until that does not throw; when the time is up, what it threw last is thrown. */
async function until<T>(look: () => T, { timeout = 1000, interval = 50 }: PollOptions): Promise<Awaited<T>> {
  const endMs = performance.now() + timeout;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() >= endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, interval));
    }
  }
}
