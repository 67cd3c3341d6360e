import { afterEach, beforeEach } from "vitest";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** A command listens for signals until its process ends; run in the process of the tests, it listens until its test does. */
export function listenNoLongerThanTheirTest(): void {
  let before: ReadonlySet<NodeJS.SignalsListener> = new Set();
  const listeners = () => SIGNALS.flatMap((signal) => process.listeners(signal));
  beforeEach(() => {
    before = new Set(listeners());
  });
  afterEach(() => {
    for (const signal of SIGNALS)
      for (const listener of process.listeners(signal)) if (!before.has(listener)) process.off(signal, listener);
  });
}
