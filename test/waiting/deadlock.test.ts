import { expect, it } from "vitest";
import type { S3MutexError } from "../../src/errors.js";
import type { DeadlockEvent } from "../../src/runtime/base/events.js";
import { type Client, type ClientOptions, Scene } from "../../testkit/scene.js";
import { aftermath, leftovers, type Outcome, outcomeOf, pause } from "./place.js";

/** Cycles across processes are found within seconds, by the one that has to give way; the others get their locks. */

type Style = "acquire" | "withLock" | "acquireLock";

interface Member {
  readonly client: Client;
  readonly first: string;
  readonly second: string;
  readonly priority: number;
}

/** Takes both its locks, one after the other; the value says whether it had both. */
async function takeBoth(style: Style, { client, first, second, priority }: Member): Promise<boolean> {
  const { mutex, process } = client;
  if (style === "withLock") {
    const inner = () => mutex.withLock(second, () => true, { priority, timeoutMs: 60_000 });
    const outer = async () => {
      await pause(process, 300);
      return (await inner()) ?? false;
    };
    return (await mutex.withLock(first, outer, { priority })) ?? false;
  }
  if (style === "acquireLock") {
    if (!(await mutex.acquireLock(first, 60_000, priority))) return false;
    await pause(process, 300);
    const had = await mutex.acquireLock(second, 60_000, priority);
    if (had) await mutex.releaseLock(second);
    await mutex.releaseLock(first);
    return had;
  }
  await using _ = await mutex.acquire(first, { priority });
  await pause(process, 300);
  await using __ = await mutex.acquire(second, { priority });
  return true;
}

function ringOf(scene: Scene, size: number, options: ClientOptions = {}): Member[] {
  return Array.from({ length: size }, (_, index) => ({
    client: scene.client(options),
    first: `L${index}`,
    second: `L${(index + 1) % size}`,
    priority: index === 1 ? -1 : index,
  }));
}

const STYLES = ["acquire", "withLock", "acquireLock"] as const;
const RINGS = STYLES.flatMap((style) => [2, 3, 5].map((size) => [style, size] as const));

it.each(RINGS)(
  "resolves a deadlock with %s in a ring of %i within 3 s, at the cost of the lowest priority",
  async (style, size) => {
    for (const seed of [1, 2, 3]) {
      const scene = new Scene({ seed });
      const warnings: string[] = [];
      const members = ringOf(scene, size, { logger: { warn: (message) => warnings.push(message) } });
      const events: (DeadlockEvent & { readonly by: number })[] = [];
      for (const [by, { client }] of members.entries())
        client.mutex.on("deadlock", (event) => events.push({ ...event, by }));
      const startedAtMs = scene.nowMs;
      const outcomes = await scene.until(
        Promise.all(members.map((member) => outcomeOf(scene, takeBoth(style, member)))),
      );

      const victim = outcomes[1] as Outcome<boolean>;
      for (const outcome of outcomes.filter((other) => other !== victim)) expect(outcome.value).toBe(true);
      expect(Math.max(...outcomes.map(({ atMs }) => atMs)) - startedAtMs).toBeLessThan(3300 + size * 100);
      expect(victim.atMs - startedAtMs).toBeLessThan(3000);

      const locks = members.map((_, index) => `L${(index + 2) % size}`);
      const cycle = locks.map((lockName, index) => ({
        lockName,
        host: members[(index + 2) % size]?.client.process.name,
      }));
      expect(events).toMatchObject([{ by: 1, lockName: locks[0], cycle }]);
      const sentence = [...cycle.map(({ lockName, host }) => `${lockName} (held by ${host}:1)`), locks[0]].join(" -> ");
      expect(events[0]?.description).toBe(sentence);
      if (style === "acquireLock") {
        expect(victim.value).toBe(false);
        expect(warnings).toEqual([expect.stringContaining(sentence)]);
      } else {
        const { code, cycle: told, message, lockName } = victim.error as S3MutexError;
        expect({ code, lockName, told }).toMatchObject({ code: "deadlock", lockName: locks[0], told: cycle });
        expect(message).toContain(sentence);
      }
      await scene.pass(1000);
      expect(leftovers(scene, ...members.map(({ first }) => first))).toEqual([]);
      expect(scene.problems).toEqual([]);
    }
  },
);

it("chooses the youngest wait where priorities are equal", async () => {
  const scene = new Scene();
  const [a, b, c] = ringOf(scene, 3).map((member) => ({ ...member, priority: 0 })) as [Member, Member, Member];
  const outcomes = [outcomeOf(scene, takeBoth("acquire", a))];
  await scene.pass(100);
  outcomes.push(outcomeOf(scene, takeBoth("acquire", c)));
  await scene.pass(50);
  outcomes.push(outcomeOf(scene, takeBoth("acquire", b)));
  const [one, two, three] = await scene.until(Promise.all(outcomes));
  expect([one?.value, two?.value, three?.code]).toEqual([true, true, "deadlock"]);
});

it("takes no lock from a holder: the victim's hold ends only when it gives it back", async () => {
  const scene = new Scene();
  const members = ringOf(scene, 2);
  const [{ client: high }, { client: low }] = members as [Member, Member];
  const first = await scene.until(low.mutex.acquire("L1"));
  const other = outcomeOf(
    scene,
    high.mutex.scope(async () => {
      await high.mutex.acquire("L0", { priority: 5 });
      return high.mutex.acquire("L1", { priority: 5 });
    }),
  );
  await scene.pass(300);
  const { code } = await scene.until(outcomeOf(scene, low.mutex.acquire("L0")));
  expect(code).toBe("deadlock");
  await scene.pass(10_000);
  expect(first.held).toBe(true);
  await scene.until(first.release());
  expect((await scene.until(other)).value?.held).toBe(true);
});

it("does not mistake a long wait for a deadlock, nor a ring that dissolves by a time-out soon", async () => {
  const scene = new Scene();
  const [one, two] = ringOf(scene, 2) as [Member, Member];
  const events: unknown[] = [];
  for (const { client } of [one, two]) client.mutex.on("deadlock", (event) => events.push(event));
  const first = one.client.mutex.withLock("L0", async () => {
    await pause(one.client.process, 100);
    return one.client.mutex.withLock("L1", () => true, { timeoutMs: 400 });
  });
  const second = two.client.mutex.withLock("L1", async () => {
    await pause(two.client.process, 100);
    return two.client.mutex.withLock("L0", () => true, { timeoutMs: 30_000 });
  });
  expect(await scene.until(first)).toBeNull();
  expect(await scene.until(second)).toBe(true);
  expect(events).toEqual([]);
});

it("takes a cycle for a deadlock only where the very same waits are seen twice", async () => {
  for (const seed of [1, 2, 3, 4]) {
    const scene = new Scene({ seed });
    const [patient, hasty] = [scene.client(), scene.client()];
    const events: unknown[] = [];
    for (const { mutex } of [patient, hasty]) mutex.on("deadlock", (event) => events.push(event));
    // It asks again and again for a moment each, so at each search there is a cycle, and it goes away by itself.
    const asking = hasty.mutex.withLock("B", async () => {
      const endMs = scene.nowMs + 6000;
      while (scene.nowMs < endMs) await hasty.mutex.withLock("A", () => {}, { timeoutMs: 130, priority: 1 });
    });
    const waiting = patient.mutex.withLock("A", async () => {
      await pause(patient.process, 200);
      return patient.mutex.withLock("B", () => true, { timeoutMs: 60_000 });
    });
    await scene.until(asking);
    expect(await scene.until(waiting)).toBe(true);
    expect(events).toEqual([]);
  }
});

it("finds a deadlock in which a wait is refreshed, renewed and pushed about for long before it closes", async () => {
  const scene = new Scene();
  const [one, two] = ringOf(scene, 2, { lockTimeoutMs: 3000 }) as [Member, Member];
  const bystander = scene.client();
  const late = outcomeOf(
    scene,
    one.client.mutex.scope(async () => {
      await one.client.mutex.acquire("L0", { priority: 1 });
      await pause(one.client.process, 40_000);
      return one.client.mutex.acquire("L1", { priority: 1 });
    }),
  );
  const early = outcomeOf(
    scene,
    two.client.mutex.withLock("L1", () => two.client.mutex.acquire("L0"), { timeoutMs: 60_000 }),
  );
  await scene.pass(20_000);
  const crowd = outcomeOf(scene, bystander.mutex.acquire("L0", { timeoutMs: 100_000 }));
  const closedAtMs = scene.nowMs + 20_000;
  const { code, atMs } = await scene.until(early);
  expect(code).toBe("deadlock");
  // A caller that has waited for long looks every ten seconds.
  expect(atMs - closedAtMs).toBeLessThan(11_000);
  expect((await scene.until(late)).value?.held).toBe(true);
  await scene.until(crowd);
});

// ---------------------------------------------------------------------------------------------------------------------
// Through local queues

it("finds a cycle of two tasks of one instance", async () => {
  const scene = new Scene();
  const client = scene.client();
  const tasks = [
    { client, first: "A", second: "B", priority: 0 },
    { client, first: "B", second: "A", priority: 1 },
  ];
  const startedAtMs = scene.nowMs;
  const outcomes = await scene.until(Promise.all(tasks.map((task) => outcomeOf(scene, takeBoth("withLock", task)))));
  expect(outcomes.map(({ value, code }) => value ?? code)).toEqual(["deadlock", true]);
  expect((outcomes[1] as Outcome<boolean>).atMs - startedAtMs).toBeLessThan(3000);
  await aftermath(scene);
  expect(leftovers(scene, "A", "B")).toEqual([]);
});

it("finds a cycle of two tasks of one instance and another process, each waiting behind others", async () => {
  const scene = new Scene();
  const [here, there] = [scene.client(), scene.client()];
  const tasks: Member[] = [
    { client: here, first: "A", second: "B", priority: 1 },
    { client: here, first: "B", second: "C", priority: 2 },
    { client: there, first: "C", second: "A", priority: 0 },
  ];
  const running = tasks.map((task) => outcomeOf(scene, takeBoth("withLock", task)));
  await scene.pass(150);
  // They hold nothing, and are in front of those that do.
  const bystanders = ["A", "B", "C"].map((name) =>
    outcomeOf(
      scene,
      here.mutex.scope(() => here.mutex.withLock(name, () => true, { priority: 9, timeoutMs: 60_000 })),
    ),
  );
  const outcomes = await scene.until(Promise.all(running));
  expect(outcomes.map(({ value, code }) => value ?? code)).toEqual([true, true, "deadlock"]);
  for (const { value } of await scene.until(Promise.all(bystanders))) expect(value).toBe(true);
  await aftermath(scene);
  expect(leftovers(scene, "A", "B", "C")).toEqual([]);
});

it("takes tasks with bare handles, two of whom wait at once, for no single line of work", async () => {
  const scene = new Scene();
  const [here, there] = [scene.client(), scene.client()];
  const events: unknown[] = [];
  for (const { mutex } of [here, there]) mutex.on("deadlock", (event) => events.push(event));
  // One task here holds A and will give it back; two others wait for B and C; elsewhere, B's holder waits for A.
  const a = await scene.until(here.mutex.acquire("A"));
  const b = await scene.until(there.mutex.acquire("B"));
  const c = await scene.until(there.mutex.acquire("C"));
  const waits = [here.mutex.acquire("B"), here.mutex.acquire("C"), there.mutex.acquire("A")].map((wait) =>
    outcomeOf(scene, wait),
  );
  await scene.pass(8000);
  expect(events).toEqual([]);
  await scene.until(a.release());
  await scene.until(Promise.all([b.release(), c.release()]));
  for (const { value } of await scene.until(Promise.all(waits))) expect(value?.held).toBe(true);
});

// Two waits at once hide what the scope holds even where it is explicit: what `withLock` holds is given back only after both.
it("finds a deadlock in which a scope waits for two locks at once", async () => {
  const scene = new Scene();
  const [one, two, three] = [scene.client(), scene.client(), scene.client()];
  const both = one.mutex.withLock("A", async () => {
    await pause(one.process, 300);
    const [b, c] = [one.mutex.acquire("B"), one.mutex.acquire("C")];
    return Promise.all([b, c]);
  });
  const others = [
    { client: two, first: "B", second: "A", priority: 2 },
    { client: three, first: "C", second: "A", priority: 2 },
  ].map((member) => outcomeOf(scene, takeBoth("withLock", member)));
  const { code } = await scene.until(outcomeOf(scene, both), 20_000);
  expect(code).toBe("deadlock");
  for (const { value } of await scene.until(Promise.all(others))) expect(value).toBe(true);
});

// A caller who rests behind another one of its process leaves the asking to that one as long as it holds nothing. When its
// scope comes to hold something meanwhile (another wait of it was granted), it is not woken, and it never shows in the queue.
it("finds a deadlock that closes while a caller rests behind another one of its process", async () => {
  const scene = new Scene();
  const { mutex, process } = scene.client();
  const two = mutex.withLock("B", async () => {
    await pause(process, 300);
    return mutex.withLock("A", () => true, { timeoutMs: 60_000, priority: 1 });
  });
  await scene.pass(100);
  const bystander = outcomeOf(
    scene,
    mutex.scope(() => mutex.withLock("B", () => true, { timeoutMs: 60_000 })),
  );
  await scene.pass(50);
  const one = mutex.scope(async () => Promise.all([mutex.acquire("B"), mutex.acquire("A")]));
  const outcomes = await scene.until(
    Promise.race([outcomeOf<unknown>(scene, one), outcomeOf<unknown>(scene, two)]),
    20_000,
  );
  expect(outcomes.code ?? outcomes.value).toBe("deadlock");
  await scene.until(bystander);
});
