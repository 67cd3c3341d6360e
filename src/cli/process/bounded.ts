/**
 * Waits for what comes of the promise, or gives undefined when it takes too long or the user is in a hurry; its errors come through.
 * Without a limit it may take as long as it wants.
 */
export async function bounded<T>(
  promise: Promise<T>,
  limitMs: number | undefined,
  hurry: AbortSignal,
): Promise<T | undefined> {
  let finish: () => void = () => {};
  const enough = new Promise<undefined>((resolve) => {
    finish = () => resolve(undefined);
  });
  const timer = limitMs === undefined ? undefined : setTimeout(finish, limitMs);
  hurry.addEventListener("abort", finish, { once: true });
  if (hurry.aborted) finish();
  try {
    return await Promise.race([promise, enough]);
  } finally {
    clearTimeout(timer);
    hurry.removeEventListener("abort", finish);
  }
}
