import { describe, expect, it } from "vitest";
import { InFlightLimiter } from "../../src/store/s3/in-flight.js";
import { startS3Server } from "../../src/testing/index.js";
import { clientFor, IF_ABSENT, storeOver } from "./stub.js";

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Enters under a name and writes down who got in, in order. */
function entering(limiter: InFlightLimiter) {
  const inside: string[] = [];
  const leave = new Map<string, () => void>();
  const enter = (name: string, urgent = false) =>
    void limiter.enter(urgent).then((done) => {
      inside.push(name);
      leave.set(name, done);
    });
  return { inside, enter, leave: (name: string) => leave.get(name)?.() };
}

describe("InFlightLimiter", () => {
  it("lets in as many as there are places, and the others in the order in which they came", async () => {
    const { inside, enter, leave } = entering(new InFlightLimiter(2));
    for (const name of ["a", "b", "c", "d"]) enter(name);
    await tick();
    expect(inside).toEqual(["a", "b"]);
    leave("b");
    await tick();
    expect(inside).toEqual(["a", "b", "c"]);
    leave("a");
    await tick();
    expect(inside).toEqual(["a", "b", "c", "d"]);
  });

  it("gives a place back once, however often it is given back", async () => {
    const { inside, enter, leave } = entering(new InFlightLimiter(1));
    for (const name of ["a", "b", "c"]) enter(name);
    await tick();
    leave("a");
    leave("a");
    await tick();
    expect(inside).toEqual(["a", "b"]);
  });

  it("has places for urgent requests while all others wait", async () => {
    const { inside, enter } = entering(new InFlightLimiter(5));
    for (const name of ["1", "2", "3", "4", "5", "6"]) enter(name);
    enter("renewal", true);
    enter("second renewal", true);
    await tick();
    expect(inside).toEqual(["1", "2", "3", "4", "5", "renewal"]);
  });

  it("lets urgent requests go first, and does not give the place of one in reserve to an ordinary one", async () => {
    const { inside, enter, leave } = entering(new InFlightLimiter(1));
    enter("a");
    enter("b");
    enter("renewal", true);
    enter("release", true);
    await tick();
    expect(inside).toEqual(["a", "renewal"]);
    leave("renewal");
    await tick();
    expect(inside).toEqual(["a", "renewal", "release"]);
    leave("release");
    await tick();
    expect(inside).toEqual(["a", "renewal", "release"]);
    leave("a");
    await tick();
    expect(inside).toEqual(["a", "renewal", "release", "b"]);
  });

  it.each([
    [5, 4, 1],
    [1, 1, 0],
    [500, 40, 8],
  ])("over %i sockets it lets in %i, and %i more if they are urgent", async (sockets, ordinary, urgent) => {
    const limiter = new InFlightLimiter(40);
    limiter.respectSockets(sockets);
    const { inside, enter } = entering(limiter);
    for (let n = 0; n < 60; n += 1) enter("ordinary");
    await tick();
    expect(inside).toHaveLength(ordinary);
    for (let n = 0; n < 60; n += 1) enter("urgent", true);
    await tick();
    expect(inside).toHaveLength(ordinary + urgent);
  });
});

it("a burst of 500 requests times out none, though all together take longer than the time-out", async () => {
  await using server = await startS3Server({ buckets: ["locks"], latencyMs: 30 });
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  const client = clientFor(server.endpoint);
  const stores = [storeOver(client), storeOver(client)];
  const started = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: 500 }, (_, n) => stores[n % 2]?.write(`k${n}`, "{}", IF_ABSENT, { timeoutMs: 300 })),
  );
  expect(performance.now() - started).toBeGreaterThan(300);
  expect(outcomes.filter((outcome) => outcome?.kind !== "ok")).toEqual([]);
  await tick();
  process.off("warning", onWarning);
  expect(warnings.filter(({ name }) => name === "MaxListenersExceededWarning")).toEqual([]);
});

it("stays below a smaller pool of sockets as soon as the handler shows its size", async () => {
  await using server = await startS3Server({ buckets: ["locks"] });
  const store = storeOver(clientFor(server.endpoint, { requestHandler: { httpAgent: { maxSockets: 5 } } }));
  await store.read("first", { timeoutMs: 1_000 });
  let now = 0;
  let most = 0;
  server.setLatency(() => {
    now += 1;
    most = Math.max(most, now);
    return 10;
  });
  server.onRequest(() => (now -= 1));
  await Promise.all(Array.from({ length: 30 }, (_, n) => store.read(`k${n}`, { timeoutMs: 1_000 })));
  expect(most).toBe(4);
});

it("an urgent request does not wait for those that were queued before it", async () => {
  await using server = await startS3Server({ buckets: ["locks"], latencyMs: 20 });
  const store = storeOver(clientFor(server.endpoint), { maxInFlight: 5 });
  let done = 0;
  const others = Array.from({ length: 50 }, async (_, n) => {
    await store.read(`k${n}`, { timeoutMs: 2_000 });
    done += 1;
  });
  const urgent: object = { timeoutMs: 2_000, urgent: true };
  await store.read("renewal", urgent as { timeoutMs: number });
  expect(done).toBeLessThan(15);
  await Promise.all(others);
});
