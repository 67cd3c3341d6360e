import { expect, it } from "vitest";
import { Clockwork, settled } from "../../../test/protocol/clockwork.js";
import { OneAfterAnother } from "./in-parallel.js";
import { MAX_REQUEST_MS } from "./timing.js";

const STUCK_MS = 100;

/** The callers, by number, and how each of their requests is answered. */
function asking(count: number, stuckMs = STUCK_MS) {
  const clockwork = new Clockwork();
  const turns = new OneAfterAnother(clockwork.effects);
  let stuckAfterMs = stuckMs;
  const sent: number[] = [];
  const answers = new Map<number, (fails?: boolean) => void>();
  const outcomes: Promise<string>[] = [];
  const come = (number: number) => {
    const ask = () => {
      sent.push(number);
      return new Promise<string>((resolve, reject) => {
        answers.set(number, (fails) => (fails ? reject(new Error("no")) : resolve(`answer ${number}`)));
      });
    };
    outcomes.push(turns.inTurn(() => stuckAfterMs, ask).catch((error: Error) => error.message));
  };
  for (let number = 1; number <= count; number += 1) come(number);
  const answer = async (number: number, fails?: boolean) => {
    answers.get(number)?.(fails);
    await settled();
  };
  const setStuckMs = (ms: number) => {
    stuckAfterMs = ms;
  };
  return { clockwork, sent, answer, come, outcomes, setStuckMs };
}

it("asks one after the other, in the order in which they came, also after one that fails", async () => {
  const { sent, answer, outcomes, clockwork } = asking(3);
  await settled();
  expect(sent).toEqual([1]);
  await clockwork.pass(STUCK_MS - 1);
  await answer(1);
  expect(sent).toEqual([1, 2]);
  await clockwork.pass(STUCK_MS - 1);
  expect(sent).toEqual([1, 2]);
  await answer(2, true);
  expect(sent).toEqual([1, 2, 3]);
  await answer(3);
  expect(await Promise.all(outcomes)).toEqual(["answer 1", "no", "answer 3"]);
  expect(clockwork.pendingMs).toEqual([]);
});

it("one that takes long keeps those behind it only for a while, and lets one of them past and not all", async () => {
  const { sent, answer, outcomes, clockwork } = asking(5);
  await clockwork.pass(STUCK_MS / 2);
  await answer(1);
  expect(sent).toEqual([1, 2]);
  await clockwork.pass(STUCK_MS - 1);
  expect(sent).toEqual([1, 2]);
  await clockwork.pass(1);
  expect(sent).toEqual([1, 2, 3]);
  // The time of the third begins with its own turn.
  await clockwork.pass(STUCK_MS - 1);
  expect(sent).toEqual([1, 2, 3]);
  await clockwork.pass(1);
  expect(sent).toEqual([1, 2, 3, 4]);
  // One that was passed by is not waited for, nor does its answer let another one past.
  await answer(2);
  expect(sent).toEqual([1, 2, 3, 4]);
  await answer(4);
  expect(sent).toEqual([1, 2, 3, 4, 5]);
  for (const number of [3, 5]) await answer(number);
  expect(await Promise.all(outcomes)).toEqual([1, 2, 3, 4, 5].map((number) => `answer ${number}`));
});

it("lets all ask side by side when nothing at all has been answered for as long as a request may take", async () => {
  const { sent, answer, clockwork } = asking(200);
  await clockwork.pass(STUCK_MS - 1);
  await answer(1);
  const asked = MAX_REQUEST_MS / STUCK_MS;
  await clockwork.pass(MAX_REQUEST_MS - 1);
  // A failure says nothing of the writes of others.
  await answer(sent.length, true);
  expect(sent.length).toBe(1 + asked + 1);
  await clockwork.pass(1);
  expect(sent).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
});

it("counts the silence from the first that waits, and not below the time of one turn", async () => {
  const { sent, answer, come, clockwork } = asking(1);
  await answer(1);
  await clockwork.pass(3 * MAX_REQUEST_MS);
  come(2);
  come(3);
  await clockwork.pass(STUCK_MS - 1);
  expect(sent).toEqual([1, 2]);
  const slow = asking(3, 2 * MAX_REQUEST_MS);
  await slow.clockwork.pass(2 * MAX_REQUEST_MS - 1);
  expect(slow.sent).toEqual([1]);
});

it("goes by how long an answer takes as that turns out during a turn", async () => {
  const { sent, clockwork, setStuckMs } = asking(2);
  await settled();
  await clockwork.pass(STUCK_MS - 1);
  setStuckMs(2 * STUCK_MS);
  await clockwork.pass(STUCK_MS);
  expect(sent).toEqual([1]);
  await clockwork.pass(1);
  expect(sent).toEqual([1, 2]);
});

it("who comes when the turn of one that hangs is over asks at once", async () => {
  const { sent, answer, come, clockwork } = asking(2);
  await settled();
  await clockwork.pass(STUCK_MS);
  expect(sent).toEqual([1, 2]);
  await answer(2);
  come(3);
  come(4);
  await settled();
  expect(sent).toEqual([1, 2, 3]);
  await answer(3);
  expect(sent).toEqual([1, 2, 3, 4]);
});
