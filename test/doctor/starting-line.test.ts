import { expect, test } from "vitest";
import { type Effects, realEffects } from "../../src/runtime/base/effects.js";
import { StartingLine } from "../../src/verify/examination/starting-line.js";

type Handler = (args: object) => Promise<object>;

/** Makes a timer that goes off when the test says so. */
function stoppedTime(): { readonly effects: Effects; elapse(): void } {
  let callback = (): void => {};
  const effects: Effects = {
    ...realEffects,
    setTimer(_delayMs, then) {
      callback = then;
      return () => {
        callback = () => {};
      };
    },
  };
  return { effects, elapse: () => callback() };
}

/** Holds at the line a request that is as far as to be sent, and says whether it was. */
function readyToSend(line: StartingLine): { readonly isSent: () => boolean } {
  let isSent = false;
  const add = (middleware: (next: Handler) => Handler) => {
    const send = middleware(async () => {
      isSent = true;
      return {};
    });
    void send({});
  };
  line.hold({ middlewareStack: { add } });
  return { isSent: () => isSent };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("none leaves before all are ready, and then all leave at once", async () => {
  const line = new StartingLine(stoppedTime().effects, 3);
  const early = [readyToSend(line), readyToSend(line)];
  await turn();
  expect(early.map(({ isSent }) => isSent())).toEqual([false, false]);
  const all = [...early, readyToSend(line)];
  await turn();
  expect(all.map(({ isSent }) => isSent())).toEqual([true, true, true]);
});

test("one that never gets ready does not hold up the others forever", async () => {
  const { effects, elapse } = stoppedTime();
  const line = new StartingLine(effects, 3);
  const ready = [readyToSend(line), readyToSend(line)];
  await turn();
  elapse();
  await turn();
  expect(ready.map(({ isSent }) => isSent())).toEqual([true, true]);
  const late = readyToSend(line);
  await turn();
  expect(late.isSent()).toBe(true);
});
