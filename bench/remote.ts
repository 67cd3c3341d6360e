import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

type Method = (...args: never[]) => unknown;
type Methods<M> = { readonly [K in keyof M]: Method };

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Serves what a process of the bench can be asked from outside; the counterpart of {@link startRemote}. */
export function serveParent<M extends Methods<M>>(methods: M): void {
  process.on("message", (call: Call) => {
    const method: Method = methods[call.method as keyof M];
    const answer = (reply: Omit<Reply, "id">) => process.send?.({ id: call.id, ...reply });
    Promise.resolve()
      .then(() => method(...(call.args as never[])))
      .then(
        (result) => answer({ result }),
        (error: Error) => answer({ error: error.stack ?? String(error) }),
      );
  });
  // Whatever happens to the bench, its children do not outlive it.
  process.on("disconnect", () => process.exit());
  process.send?.({ id: 0 });
}

/** A process of its own and the methods that it serves. */
export interface Remote<M> {
  readonly process: ChildProcess;
  readonly call: {
    readonly [K in keyof M]: M[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
  };
  /** Kills the process with SIGKILL, as if it crashed. */
  kill(): Promise<void>;
}

/**
 * Starts a module that calls {@link serveParent} and waits until it does; it inherits the loader that this process runs
 * with.
 */
export async function startRemote<M extends Methods<M>>(module: URL, env: NodeJS.ProcessEnv = {}): Promise<Remote<M>> {
  const child = fork(fileURLToPath(module), { env: { ...process.env, ...env }, serialization: "advanced" });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let calls = 0;
  child.on("message", (reply: Reply) => {
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error === undefined) waiter?.resolve(reply.result);
    else waiter?.reject(new Error(reply.error));
  });
  child.on("exit", (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${module.pathname} ended: ${signal ?? code}`));
  });
  const call = (method: string, args: readonly unknown[]) =>
    new Promise((resolve, reject) => {
      calls += 1;
      waiting.set(calls, { resolve, reject });
      child.send({ id: calls, method, args });
    });
  await new Promise((resolve, reject) => waiting.set(0, { resolve, reject }));
  const proxy = new Proxy(
    {},
    {
      get:
        (_, method) =>
        (...args: unknown[]) =>
          call(String(method), args),
    },
  );
  return {
    process: child,
    call: proxy as Remote<M>["call"],
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      waiting.clear();
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
