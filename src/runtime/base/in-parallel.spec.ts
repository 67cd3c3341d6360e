import { expect, it } from "vitest";
import { Clockwork, settled } from "../../../test/protocol/clockwork.js";
import { OneAfterAnother } from "./in-parallel.js";

const STUCK_MS = 100;

/** The callers, by number, and how each of their requests is answered. */
function asking(count: number) {
  const clockwork = new Clockwork();
  const turns = new OneAfterAnother(clockwork.effects);
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
    outcomes.push(turns.inTurn(() => STUCK_MS, ask).catch((error: Error) => error.message));
  };
  for (let number = 1; number <= count; number += 1) come(number);
  const answer = async (number: number, fails?: boolean) => {
    answers.get(number)?.(fails);
    await settled();
  };
  return { clockwork, sent, answer, come, outcomes };
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

it("lets those behind ask side by side when nothing has been answered for a while", async () => {
  const { sent, answer, outcomes, clockwork } = asking(4);
  await clockwork.pass(STUCK_MS / 2);
  await answer(1);
  expect(sent).toEqual([1, 2]);
  await clockwork.pass(STUCK_MS - 1);
  expect(sent).toEqual([1, 2]);
  await clockwork.pass(1);
  expect(sent).toEqual([1, 2, 3, 4]);
  for (const number of [2, 3, 4]) await answer(number);
  expect(await Promise.all(outcomes)).toEqual(["answer 1", "answer 2", "answer 3", "answer 4"]);
});

it("one that hangs keeps others only for as long, and who comes when all is over asks at once", async () => {
  const { sent, answer, come, clockwork } = asking(2);
  await clockwork.pass(STUCK_MS);
  expect(sent).toEqual([1, 2]);
  await answer(2);
  come(3);
  await settled();
  expect(sent).toEqual([1, 2]);
  await clockwork.pass(STUCK_MS);
  expect(sent).toEqual([1, 2, 3]);
  await answer(3);
  await answer(1);
  await clockwork.pass(10 * STUCK_MS);
  come(4);
  come(5);
  await settled();
  expect(sent).toEqual([1, 2, 3, 4]);
  await answer(4);
  expect(sent).toEqual([1, 2, 3, 4, 5]);
});
