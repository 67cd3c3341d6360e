import { afterEach, beforeEach } from "vitest";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Ends a command's listening for signals with its test: it lasts until the process ends, which is here the process of the tests. */
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
