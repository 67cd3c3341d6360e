import { expect, it } from "vitest";
import type { Hold } from "../hold/hold.js";
import { Scope } from "./scope.js";

/** As much of a hold as a scope looks at. */
function holdOf(token: number): { readonly hold: Hold; readonly end: () => void } {
  let isHeld = true;
  const listeners: (() => void)[] = [];
  const hold = {
    holder: { token },
    get isHeld() {
      return isHeld;
    },
    onEnd: (listener: () => void) => void listeners.push(listener),
  };
  const end = () => {
    isHeld = false;
    for (const listener of listeners) listener();
  };
  return { hold: hold as unknown as Hold, end };
}

/** A line that has taken a lock, below the one that its caller is in. */
function lineWith(name: string, token: number, opener?: Scope) {
  const line = new Scope("line", opener);
  const { hold, end } = holdOf(token);
  line.add({ name }, name, hold);
  line.settle();
  return { line, end };
}

const heldBy = (scope: Scope, waitedMs = 10_000) => scope.holdsWaitingFor("wanted", waitedMs).map(({ name }) => name);

it("holds up what the lines that it goes on from hold, after a while", () => {
  const one = lineWith("a", 1);
  const two = lineWith("b", 2, one.line);
  const wait = new Scope("line", two.line);
  expect(heldBy(wait)).toEqual(["a", "b"]);
  expect(heldBy(wait, 100)).toEqual([]);
  one.end();
  expect(heldBy(wait)).toEqual(["b"]);
});

it("holds up nothing of a line with two branches at work, nor of those above, ever after", () => {
  const one = lineWith("a", 1);
  const two = lineWith("b", 2, one.line);
  const first = lineWith("c", 3, two.line);
  const wait = new Scope("line", two.line);
  expect(heldBy(wait)).toEqual([]);
  first.end();
  wait.settle();
  expect(heldBy(new Scope("line", two.line))).toEqual([]);
});

it("takes a call in the middle of a wait for one that is made side by side", () => {
  const one = lineWith("a", 1);
  const first = new Scope("line", one.line);
  const second = new Scope("line", first);
  expect([heldBy(first), heldBy(second)]).toEqual([[], []]);
});

it("takes branches that come one after the other for one line of work", () => {
  const one = lineWith("a", 1);
  for (let turn = 0; turn < 3; turn += 1) {
    const branch = lineWith("b", 2, one.line);
    branch.end();
  }
  expect(heldBy(new Scope("line", one.line))).toEqual(["a"]);
});

it("does not hold up the caller of a function that has ended", () => {
  const one = lineWith("a", 1);
  const callback = new Scope("callback", one.line);
  const { hold } = holdOf(2);
  callback.add({ name: "b" }, "b", hold);
  const inside = new Scope("line", callback);
  expect(heldBy(inside)).toEqual(["a", "b"]);
  expect(inside.findInCallbacks("b")).toEqual([hold]);
  callback.settle();
  expect(heldBy(inside)).toEqual([]);
  expect(inside.findInCallbacks("b")).toEqual([]);
});

it.each([false, true])("keeps no chain of lines, however long a loop goes on (next before last: %s)", (doOverlap) => {
  const boot = lineWith("boot", 0);
  let last = lineWith("a", 1, boot.line);
  for (let turn = 2; turn < 20_000; turn += 1) {
    if (!doOverlap) last.end();
    const next = lineWith("a", turn, last.line);
    if (doOverlap) last.end();
    last = next;
  }
  expect(last.line.depth).toBeLessThanOrEqual(3);
  expect(heldBy(new Scope("line", last.line))).toEqual(["boot", "a"]);
});
