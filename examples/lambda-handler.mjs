// A Lambda function is frozen between invocations, its timers and renewals with it. Here that is done for real: each sandbox is
// a process, and it is stopped (SIGSTOP) whenever its handler has returned.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { S3Mutex } from "s3-mutex";
import { startS3Server } from "s3-mutex/testing";

// ---------------------------------------------------------------------------------------------------------------------
// The function: this part is what would be deployed.

/** Made once for each sandbox, and kept while it is frozen. */
function createHandler(s3ClientConfig) {
  const mutex = new S3Mutex({ s3ClientConfig, bucketName: "my-bucket", label: process.env.SANDBOX });
  return async (event, context) => {
    // Wait no longer than there is time; and let the lease be about what the work takes, since it may be all that is left of an
    // invocation that was killed. What is released before the handler returns is never held by a frozen process.
    const timeoutMs = Math.max(0, context.getRemainingTimeInMillis() - 5000);
    const outcome = await mutex.withLock(
      "report",
      async (lock) => {
        if (event.timesOut) await new Promise(() => {}); // Lambda freezes it in the middle, and never goes on
        lock.assertHeld();
        return `did ${event.job}`;
      },
      { timeoutMs, leaseMs: 2000 },
    );
    // An invocation that fails is tried again; one that says nothing is taken for done.
    if (outcome === null) throw new Error("the lock was not free in time");
    return outcome;
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// What Lambda does around it.

if (process.env.SANDBOX !== undefined) {
  const handler = createHandler(JSON.parse(process.env.S3_CLIENT_CONFIG));
  process.on("message", async (event) => {
    process.send(await handler(event, { getRemainingTimeInMillis: () => 30_000 }));
  });
} else {
  const server = await startS3Server({ buckets: ["my-bucket"] });
  const sandboxes = ["a", "b"].map((name) => {
    const env = { ...process.env, SANDBOX: name, S3_CLIENT_CONFIG: JSON.stringify(server.clientConfig()) };
    return fork(fileURLToPath(import.meta.url), { env });
  });
  const [a, b] = sandboxes;
  const invoke = async (sandbox, event) => {
    sandbox.kill("SIGCONT");
    sandbox.send(event);
    const [answer] = await once(sandbox, "message");
    sandbox.kill("SIGSTOP");
    return answer;
  };

  console.log(`a: ${await invoke(a, { job: "Monday" })}; then it is frozen`);
  console.log(`b: ${await invoke(b, { job: "Tuesday" })}, at once: the lock was free`);

  // An invocation that runs out of time is frozen while it holds the lock.
  a.kill("SIGCONT");
  a.send({ job: "Wednesday", timesOut: true });
  while (!isHeld(server)) await new Promise((resolve) => setTimeout(resolve, 20));
  a.kill("SIGSTOP");
  const startedAtMs = performance.now();
  const answer = await invoke(b, { job: "Thursday" });
  console.log(`b: ${answer}, after the lease of a was over: ${performance.now() - startedAtMs > 1000}`);

  for (const sandbox of sandboxes) sandbox.kill("SIGKILL");
  await Promise.all(sandboxes.map((sandbox) => once(sandbox, "exit")));
  await server.close();
}

function isHeld(server) {
  return JSON.parse(server.getObject("my-bucket", "locks/report.json").text).locked;
}
