import { expect, it } from "vitest";
import { LockRequest, NamedRequests } from "../../src/web-locks/lock-request.js";

const CHECKED = { name: "x", mode: "exclusive", ifAvailable: false, steal: false, callback: () => {} } as const;

it("a request that ended before the store's grant is known stays decided, and holds nothing", () => {
  const named = new NamedRequests();
  const request = new LockRequest({ ...CHECKED, signal: undefined });
  named.pending.push(request);
  named.remove(request);
  request.end();
  named.grant(request);
  // What is undecided keeps all requests of its manager waiting, and a holder all of its name: this one has no end that would free them.
  expect({ isSettled: request.isSettled, isIdle: named.isIdle }).toEqual({ isSettled: true, isIdle: true });
});
