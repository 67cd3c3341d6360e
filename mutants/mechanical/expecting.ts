import type { ExpectStatic } from "@vitest/expect";

interface PollOptions {
  readonly timeout?: number;
  readonly interval?: number;
}

/** `expect` with what vitest adds to it, and the little of `vi` that tests use. */
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
  return { expect: Object.assign(expect, { poll }), vi: { waitFor, setConfig: () => {} } };
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
