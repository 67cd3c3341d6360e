/** How often the parent is looked at: nothing reports its end. */
const LOOK_MS = 500;

/**
 * npm passes SIGTERM on to the shell that it runs a script or a program of npx in, and to nobody else: the shell dies, npm with it,
 * and what ran in it goes on, renewing for nobody (npm/cli#6684). So there, and only there, the end of the parent is a request
 * to end. Elsewhere it is what `nohup`, `setsid` and `&` are for. Returns how to stop watching.
 */
export function onNpmGone(environment: NodeJS.ProcessEnv, gone: () => void): () => void {
  // On Windows a process keeps the id of its parent.
  if (environment["npm_lifecycle_event"] === undefined || process.platform === "win32") return () => {};
  const parentId = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parentId) return;
    clearInterval(timer);
    gone();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
