import { describe, expect, it } from "vitest";
import { InFlightLimiter } from "./in-flight.js";

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

describe("requests in flight", () => {
  it("are let in as many as there are places, and the others in the order in which they came", async () => {
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

  it("give a place back once, however often it is given back", async () => {
    const { inside, enter, leave } = entering(new InFlightLimiter(1));
    for (const name of ["a", "b", "c"]) enter(name);
    await tick();
    leave("a");
    leave("a");
    await tick();
    expect(inside).toEqual(["a", "b"]);
  });

  it("that are urgent have places of their own while all others wait", async () => {
    const { inside, enter } = entering(new InFlightLimiter(5));
    for (const name of ["1", "2", "3", "4", "5", "6"]) enter(name);
    enter("renewal", true);
    enter("second renewal", true);
    await tick();
    expect(inside).toEqual(["1", "2", "3", "4", "5", "renewal"]);
  });

  it("that are urgent go first, and no ordinary one has a place in reserve", async () => {
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
});

describe("requests in flight over sockets", () => {
  it.each([
    [5, 4, 1],
    [1, 1, 0],
    [50, 40, 8],
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

  it("have no place in reserve where there is but one socket, however few were asked for", async () => {
    const limiter = new InFlightLimiter(1);
    limiter.respectSockets(1);
    const { inside, enter } = entering(limiter);
    enter("a");
    enter("renewal", true);
    await tick();
    expect(inside).toEqual(["a"]);
  });

  it("are not more where there are more sockets", async () => {
    const limiter = new InFlightLimiter(10);
    limiter.respectSockets(500);
    const { inside, enter } = entering(limiter);
    for (let n = 0; n < 60; n += 1) enter("ordinary");
    for (let n = 0; n < 60; n += 1) enter("urgent", true);
    await tick();
    expect(inside).toHaveLength(12);
  });

  it("that are urgent are let in one for each place that is given back", async () => {
    const { inside, enter, leave } = entering(new InFlightLimiter(5));
    for (const name of ["1", "2", "3", "4", "5"]) enter(name);
    for (const name of ["a", "b", "c", "d"]) enter(name, true);
    await tick();
    expect(inside).toHaveLength(6);
    leave("1");
    await tick();
    expect(inside.slice(6)).toEqual(["b"]);
  });

  it("that are ordinary come after those that wait, also when a place is free for a moment", async () => {
    const { inside, enter, leave } = entering(new InFlightLimiter(1));
    enter("a");
    enter("b");
    await tick();
    leave("a");
    enter("c");
    await tick();
    expect(inside).toEqual(["a", "b"]);
    leave("b");
    await tick();
    expect(inside).toEqual(["a", "b", "c"]);
  });
});
