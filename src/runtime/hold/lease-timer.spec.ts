import { describe, expect, it } from "vitest";
import { settled } from "../../../test/protocol/clockwork.js";
import { leased } from "../../../test/protocol/leases.js";

describe("a lease that is kept beside another one", () => {
  it("is renewed with another one that is written anyway, from half of the time on", async () => {
    const { lease, clockwork, calls } = leased();
    lease.renewIfDueSoon();
    lease.keep();
    await clockwork.pass(1600);
    lease.renewIfDueSoon();
    expect(calls.renew).toHaveLength(0);
    await clockwork.pass(100);
    lease.renewIfDueSoon();
    lease.renewIfDueSoon();
    expect(calls.renew).toHaveLength(1);
    await settled();
    lease.renewIfDueSoon();
    expect(calls.renew).toHaveLength(1);
    await clockwork.pass(3000);
    expect(calls.renew).toHaveLength(1);
  });

  it("is not renewed with another one where it is not kept, or it is over", async () => {
    const { lease, clockwork, calls } = leased();
    await clockwork.pass(3000);
    lease.renewIfDueSoon();
    const gone = leased();
    gone.lease.keep();
    gone.lease.lose("taken-over");
    await gone.clockwork.pass(3000);
    gone.lease.renewIfDueSoon();
    expect([...calls.renew, ...gone.calls.renew]).toEqual([]);
    const released = leased();
    released.lease.keep();
    await released.clockwork.pass(3000);
    await released.lease.release();
    released.lease.renewIfDueSoon();
    await released.clockwork.pass(20_000);
    expect(released.lease.loss).toBeUndefined();
  });
});
