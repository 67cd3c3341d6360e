import { expect, it } from "vitest";
import { isRefusal, type ProbeAnswer, unlessBusy } from "./probe-answer.js";

const answer = (status: number): ProbeAnswer => ({ kind: "answer", status, timing: { sentAtMs: 0, receivedAtMs: 1 } });

it("a 409 to a write does not refuse its condition: it is sent again, after a pause", () => {
  expect(isRefusal(answer(409))).toBe(false);
  expect(unlessBusy(answer(409))).toMatchObject({ kind: "unknown", throttled: true, error: { retryable: true } });
  for (const status of [200, 304, 404, 412]) expect(unlessBusy(answer(status))).toEqual(answer(status));
});
