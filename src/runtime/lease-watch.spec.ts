import { expect, it } from "vitest";
import { holderOf, recordOf } from "../../test/protocol/samples.js";
import { LeaseWatch } from "./lease-watch.js";

const record = recordOf({ holders: [holderOf({ leaseMs: 10_000, renewal: "r1" })] });
const renewed = recordOf({ holders: [holderOf({ leaseMs: 10_000, renewal: "r2" })] });
const at = (monotonicMs: number, wallMs = monotonicMs) => ({ monotonicMs, wallMs });

it("ends a lease that it has watched for its whole length, and not before", () => {
  const watch = new LeaseWatch();
  watch.note(record, at(0));
  watch.note(record, at(5000));
  expect(watch.ended(record, at(9999))).toEqual(new Set());
  expect(watch.ended(record, at(10_000))).toEqual(new Set(["r1"]));
});

it("does not end what it has never seen, however old it is", () => {
  expect(new LeaseWatch().ended(record, at(1e12))).toEqual(new Set());
});

it("starts anew with each renewal, and when the holder was gone in between", () => {
  const watch = new LeaseWatch();
  watch.note(record, at(0));
  watch.note(renewed, at(8000));
  expect(watch.ended(renewed, at(17_999))).toEqual(new Set());
  expect(watch.ended(renewed, at(18_000))).toEqual(new Set(["r2"]));
  watch.note(undefined, at(18_001));
  watch.note(renewed, at(18_002));
  expect(watch.ended(renewed, at(20_000))).toEqual(new Set());
});

it("counts by the clock that moved less", () => {
  const watch = new LeaseWatch();
  watch.note(record, at(0, 1000));
  expect(watch.ended(record, at(5000, 3_600_000))).toEqual(new Set());
  expect(watch.ended(record, at(3_600_000, 6000))).toEqual(new Set());
  expect(watch.ended(record, at(10_000, 11_000))).toEqual(new Set(["r1"]));
});
