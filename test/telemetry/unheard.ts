/** Lists what would end the process while this goes on, and right after it: rejections without a listener, and what is thrown out of Node. */
export async function unheardOf(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const unheard: unknown[] = [];
  const note = (error: unknown) => void unheard.push(error);
  // Those of the test runner would fail the test by themselves.
  const events = ["unhandledRejection", "uncaughtException"] as const;
  const before = events.map((event) => process.listeners(event as "uncaughtException"));
  for (const event of events) process.removeAllListeners(event).on(event, note);
  try {
    await work();
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    for (const [index, event] of events.entries()) {
      process.removeAllListeners(event);
      for (const listener of before[index] ?? []) process.on(event, listener);
    }
  }
  return unheard;
}
