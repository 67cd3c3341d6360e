import { expect, it } from "vitest";
import { holderOf, recordOf, TOLERANCE_MS } from "../../../test/protocol/samples.js";
import { leaseKey, restKey } from "../../core/expiry.js";
import { LeaseWatch } from "./lease-watch.js";

const record = recordOf({ holders: [holderOf({ leaseMs: 10_000, leaseWriteId: "r1" })] });
const renewed = recordOf({ holders: [holderOf({ leaseMs: 10_000, leaseWriteId: "r2" })] });
const at = (monotonicMs: number, wallMs = monotonicMs) => ({ monotonicMs, wallMs });

it("ends a lease that it has watched for its whole length, and not before", () => {
  const watch = new LeaseWatch(TOLERANCE_MS);
  watch.note(record, at(0));
  watch.note(record, at(5000));
  expect(watch.ended(record, at(9999))).toEqual(new Set());
  expect(watch.ended(record, at(10_000))).toEqual(new Set(record.holders.map(leaseKey)));
});

it("does not end what it has never seen, however old it is", () => {
  expect(new LeaseWatch(TOLERANCE_MS).ended(record, at(1e12))).toEqual(new Set());
});

it("starts anew with each renewal, and when the holder was gone in between", () => {
  const watch = new LeaseWatch(TOLERANCE_MS);
  watch.note(record, at(0));
  watch.note(renewed, at(8000));
  expect(watch.ended(renewed, at(17_999))).toEqual(new Set());
  expect(watch.ended(renewed, at(18_000))).toEqual(new Set(renewed.holders.map(leaseKey)));
  watch.note(undefined, at(18_001));
  watch.note(renewed, at(18_002));
  expect(watch.ended(renewed, at(20_000))).toEqual(new Set());
});

it("tells apart two leases that one write renewed: only the shorter one is over when its time is up", () => {
  const short = holderOf({ id: "short", leaseMs: 1000, leaseWriteId: "r1" });
  const long = holderOf({ id: "long", leaseMs: 60_000, leaseWriteId: "r1" });
  const both = recordOf({ limit: 2, holders: [short, long] });
  const watch = new LeaseWatch(TOLERANCE_MS);
  watch.note(both, at(0));
  expect(watch.ended(both, at(1500))).toEqual(new Set([leaseKey(short)]));
  expect(watch.ended(both, at(60_000))).toEqual(new Set([leaseKey(short), leaseKey(long)]));
});

it("begins anew with another acquisition that the same write has put in", () => {
  const other = recordOf({ holders: [holderOf({ id: "other", leaseMs: 10_000, leaseWriteId: "r1" })] });
  const watch = new LeaseWatch(TOLERANCE_MS);
  watch.note(record, at(0));
  watch.note(other, at(9000));
  expect(watch.ended(other, at(18_999))).toEqual(new Set());
  expect(watch.ended(other, at(19_000))).toEqual(new Set(other.holders.map(leaseKey)));
});

it("loses no more than the time between two looks to a clock that is set back", () => {
  const watch = new LeaseWatch(TOLERANCE_MS);
  watch.note(record, at(0, 3_600_000));
  watch.note(record, at(4000, 3_604_000));
  watch.note(record, at(6000, 6000));
  expect(watch.ended(record, at(11_999, 11_999))).toEqual(new Set());
  expect(watch.ended(record, at(12_000, 12_000))).toEqual(new Set(record.holders.map(leaseKey)));
});

it("counts by the clock that moved less", () => {
  const watch = new LeaseWatch(TOLERANCE_MS);
  watch.note(record, at(0, 1000));
  expect(watch.ended(record, at(5000, 3_600_000))).toEqual(new Set());
  expect(watch.ended(record, at(3_600_000, 6000))).toEqual(new Set());
  expect(watch.ended(record, at(10_000, 11_000))).toEqual(new Set(record.holders.map(leaseKey)));
});

it("watches the rest that a sweep has left for the tolerance", () => {
  const resting = recordOf({ notBeforeMs: 7 });
  const watch = new LeaseWatch(TOLERANCE_MS);
  watch.note(resting, at(0));
  expect(watch.ended(resting, at(TOLERANCE_MS - 1))).toEqual(new Set());
  expect(watch.ended(resting, at(TOLERANCE_MS))).toEqual(new Set([restKey(7)]));
  watch.note(recordOf({ notBeforeMs: 8 }), at(TOLERANCE_MS));
  expect(watch.ended(recordOf({ notBeforeMs: 8 }), at(TOLERANCE_MS + 1))).toEqual(new Set());
});
