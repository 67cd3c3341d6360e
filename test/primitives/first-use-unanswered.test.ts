import { expect, it } from "vitest";
import type { S3MutexError } from "../../src/index.js";
import { FINE, Scene, type Sent } from "../../testkit/scene.js";

/** A caller of a large semaphore whose store does not say whether a permit is free learns why: of this semaphore, and of nothing else. */

const OTHER_MESSAGE = "the proxy of another day";

const isOfPool = ({ key }: Sent) => key.startsWith("semaphores/");

function error(status: 503, message: string) {
  const outcome = {
    kind: "unknown",
    sent: true,
    throttled: false,
    error: Object.assign(new Error(message), { code: "store-unavailable" }),
  };
  return { kind: "answered", applied: false, outcome, status } as const;
}

async function endOf(scene: Scene, call: Promise<unknown>): Promise<S3MutexError> {
  const end = call.then(
    () => Promise.reject(new Error("it was granted")),
    (reason: unknown) => reason as S3MutexError,
  );
  return scene.until(end, 60_000);
}

it.each(["tryAcquire", "acquire"] as const)(
  "%s: a request about another lock that failed meanwhile is not quoted",
  async (method) => {
    const scene = new Scene();
    const { mutex } = scene.client({ lockTimeoutMs: 3000 });
    const other = await scene.until(mutex.acquire("other"));
    scene.fate = (request) => (isOfPool(request) ? { kind: "lost" } : error(503, OTHER_MESSAGE));
    const end = await endOf(
      scene,
      mutex.semaphore("pool", { permits: 300 })[method]({ ...(method === "acquire" ? { timeoutMs: 2500 } : {}) }),
    );
    expect(end).toMatchObject({
      code: "store-unavailable",
      message: expect.stringMatching(/whether a permit of "pool" is free/),
    });
    expect(end.message).not.toContain(OTHER_MESSAGE);
    expect(String(end.cause)).not.toContain(OTHER_MESSAGE);
    scene.fate = () => FINE;
    await scene.until(other.release().catch(() => {}));
  },
);

it("what the store answers in place of a permit is quoted, whatever other requests come to meanwhile", async () => {
  const scene = new Scene();
  const { mutex } = scene.client({ lockTimeoutMs: 3000 });
  await scene.until(mutex.acquire("other"));
  scene.fate = (request) => error(503, isOfPool(request) ? "the proxy of the pool" : OTHER_MESSAGE);
  const end = await endOf(scene, mutex.semaphore("pool", { permits: 300 }).acquire({ timeoutMs: 5000 }));
  expect(end.message).toMatch(/whether a permit of "pool" is free.*the proxy of the pool/);
});

it.each([0, 200, 1500])(
  "that the store contradicts itself is told, too, where a round trip takes %i ms",
  async (tripMs) => {
    const scene = new Scene();
    const trip = { thereMs: tripMs / 2, backMs: tripMs / 2 };
    scene.fate = ({ operation }) =>
      operation === "write"
        ? { kind: "answered", applied: false, outcome: { kind: "conflict" }, ...trip }
        : { kind: "slow", ...trip };
    const { mutex } = scene.client();
    const end = await endOf(scene, mutex.semaphore("pool", { permits: 300 }).tryAcquire());
    expect(end.message).toMatch(/The store contradicts itself/);
  },
);
