/** What comes of the promise, or undefined when it takes too long or the user is in a hurry; its errors come through. */
export async function bounded<T>(promise: Promise<T>, limitMs: number, hurry: AbortSignal): Promise<T | undefined> {
  let finish: () => void = () => {};
  const enough = new Promise<undefined>((resolve) => {
    finish = () => resolve(undefined);
  });
  const timer = setTimeout(finish, limitMs);
  hurry.addEventListener("abort", finish, { once: true });
  if (hurry.aborted) finish();
  try {
    return await Promise.race([promise, enough]);
  } finally {
    clearTimeout(timer);
    hurry.removeEventListener("abort", finish);
  }
}
