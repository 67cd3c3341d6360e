import { expect, it } from "vitest";
import { Clockwork, contextOn } from "../../../test/protocol/clockwork.js";
import { S3MutexError } from "../../errors.js";
import { doubtError, handedOverError, lossError, reasonOfEnd, releasedError, stopError, tellLoss } from "./loss.js";

it.each([
  ["expired", "its lease ran out before it could be renewed"],
  ["taken-over", "another holder took it over"],
  ["force-released", "it was released by force"],
  ["deleted", "it was deleted"],
  ["store-unavailable", "the store could not be reached until the lease was over"],
  ["closed", "its mutex was closed while work went on, and nothing renewed it any more"],
  ["resigned", "its holder resigned"],
  ["cloned", "a copy of the process that held it goes on with it"],
  ["outer-released", "what it nested in was released"],
] as const)("a loss says in words why: %s", (reason, words) => {
  const error = lossError("x", reason);
  expect(error).toMatchObject({ code: "lost", lockName: "x", reason });
  expect(error.message).toBe(`The lock "x" is not held any more: ${words}.`);
  expect("cause" in error).toBe(false);
});

it("a loss has its cause, and says what a store has refused that was reached", () => {
  const denied = new S3MutexError("access-denied", "PutObject was refused (403). Allow it.");
  const refused = lossError("x", "store-unavailable", { cause: denied });
  expect(refused.cause).toBe(denied);
  expect(refused.message).toBe(
    'The lock "x" is not held any more: the store refused to renew it until the lease was over: PutObject was refused (403). Allow it.',
  );
  const away = "the store could not be reached until the lease was over.";
  for (const cause of [new S3MutexError("store-unavailable", "down"), new Error("down")])
    expect(lossError("x", "store-unavailable", { cause }).message).toContain(away);
  const full = new S3MutexError("store-unavailable", "507 XMinioStorageFull. Free some.");
  const said = "no renewal got through until the lease was over; the last answer: 507 XMinioStorageFull. Free some.";
  for (const cause of [full, new S3MutexError("store-unavailable", "down"), undefined]) {
    const { message } = lossError("x", "store-unavailable", { cause, answer: full });
    expect(message).toBe(`The lock "x" is not held any more: ${said}`);
  }
  const both = { cause: denied, answer: full };
  expect(lossError("x", "store-unavailable", both).message).toContain("the store refused to renew it");
  expect(lossError("x", "expired", { cause: full, answer: full }).message).toContain("its lease ran out before");
  expect(lossError("x", "taken-over", { cause: denied }).message).toContain("another holder took it over.");
});

it.each([
  ["expired", true],
  ["taken-over", true],
  ["store-unavailable", true],
  ["deleted", false],
  ["force-released", false],
] as const)("P11: a loss names a wall clock that was set only where time has ended it: %s", (reason, isTold) => {
  const { message } = lossError("x", reason, { steppedByMs: 61_400 });
  const said =
    " It was over by the wall clock, which went 61 s further than the monotonic clock since the last renewal: it was set, or the machine slept. Let the time service slew that clock rather than set it, and keep the machine awake while it holds locks.";
  expect(message).toBe(`${lossError("x", reason).message}${isTold ? said : ""}`);
});

it.each([
  [{}, false, 0, "expired"],
  [{}, true, 999, "store-unavailable"],
  [{}, true, 1000, "expired"],
  [{ last: new Error("down") }, false, 5000, "store-unavailable"],
] as const)(
  "a lease that ends with %o (a renewal under way: %s, noticed after %i ms): %s",
  (failed, isRenewing, lateMs, reason) => {
    expect(reasonOfEnd(failed, { isRenewing, lateMs })).toBe(reason);
  },
);

it("a request to stop says why, and that nothing is lost yet", () => {
  const said = (why: string) => `End the work under the lock "x": ${why}. It is held until the work has ended.`;
  expect(stopError("x", "closed")).toMatchObject({ code: "lost", lockName: "x", reason: "closed" });
  expect(stopError("x", "closed").message).toBe(said("its mutex is being closed"));
  expect(stopError("x", "resigned").message).toBe(said("its holder resigns"));
});

it("what was released is not held any more, and what is in doubt may be", () => {
  expect(releasedError("x")).toMatchObject({ code: "lost", lockName: "x", reason: "released" });
  expect(releasedError("x").message).toBe('The lock "x" is not held any more: it was released.');
  expect(handedOverError("x")).toMatchObject({ code: "lost", lockName: "x", reason: "released" });
  expect(handedOverError("x").message).toBe(
    'The lock "x" is not held by this handle any more: it was handed over by serialize(), and goes on where restore() is called.',
  );
  expect(doubtError("x")).toMatchObject({ code: "lost", lockName: "x", reason: "in-doubt" });
  expect(doubtError("x").message).toBe(
    'The lock "x" is not known to be held at this moment: the wall clock was set, or the machine slept; the store is being asked whether it still is.',
  );
});

it("a loss is told to the operator and to listeners, each with the error and what was lost", () => {
  const { context, warnings, events } = contextOn(new Clockwork());
  const error = lossError("x", "deleted");
  const loss = { lockName: "x", acquisitionId: "me", fencingToken: 7, reason: "deleted", error } as const;
  tellLoss(context, loss);
  const { error: err, ...fields } = loss;
  expect(warnings).toEqual([["a lock was lost", { err, ...fields }]]);
  expect(events).toEqual([["lost", loss]]);
});
