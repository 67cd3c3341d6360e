import { expect, it } from "vitest";
import { isRefusal, type ProbeAnswer, unlessBusy } from "./probe-answer.js";

const answer = (status: number, code?: string, isCreation = false): ProbeAnswer => ({
  kind: "answer",
  status,
  timing: { sentAtMs: 0, receivedAtMs: 1 },
  ...(code === undefined ? {} : { code }),
  ...(isCreation && { isCreation }),
});

it("a 409 to a write does not refuse its condition: it is sent again, after a pause", () => {
  expect(isRefusal(answer(409))).toBe(false);
  expect(unlessBusy(answer(409), "PUT")).toMatchObject({
    kind: "unknown",
    throttled: true,
    error: { retryable: true },
  });
  for (const status of [200, 304, 404, 412]) expect(unlessBusy(answer(status), "PUT")).toEqual(answer(status));
});

it("a 409 that says that the object exists, or that the condition does not hold, refuses it", () => {
  for (const refusal of [answer(409, "BlobAlreadyExists", true), answer(409, "PreconditionFailed")]) {
    expect(isRefusal(refusal)).toBe(true);
    expect(unlessBusy(refusal, "PUT")).toEqual(refusal);
  }
  expect(isRefusal(answer(409, "BlobAlreadyExists"))).toBe(false);
  expect(unlessBusy(answer(409, "BlobAlreadyExists"), "PUT")).toMatchObject({ kind: "unknown", throttled: true });
  expect(isRefusal(answer(409, "OperationAborted"))).toBe(false);
  expect(unlessBusy(answer(409, "OperationAborted"), "PUT")).toMatchObject({
    error: {
      message: "PUT is answered 409 (OperationAborted) each time, as while another write of the key is under way",
    },
  });
});
