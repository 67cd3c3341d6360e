import type { AcquireOptions, Lock } from "../../src/index.js";
import type { Insider } from "../checkers/inside.js";
import type { Task } from "../task.js";

/** Holds the lock around a function. */
export async function around(
  task: Task,
  name: string,
  options: Pick<AcquireOptions, "timeoutMs" | "priority">,
  inside?: (lock: Lock, insider: Insider) => Promise<void>,
): Promise<void> {
  const { client, scene } = task;
  const ask = task.ask([name], options.timeoutMs);
  let outlived = false;
  const work = client.mutex.withLock(
    name,
    async (lock) => {
      ask.done(true);
      await task.hold(lock, ask, inside, { kind: "callback" });
      outlived = client.isClosed;
      return "done";
    },
    { ...options, label: task.name },
  );
  const result = await task.expecting(work);
  ask.done(false);
  if (outlived && result === "done")
    scene.findings.report("outlived", `${task.name} is not told that ${name} was left behind while it worked`);
}
