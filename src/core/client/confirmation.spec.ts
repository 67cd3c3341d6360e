import { describe, expect, it } from "vitest";
import { type ConfirmationSight, confirmation } from "./confirmation.js";

const LEASE_MS = 10_000;

/** Just granted, by a time that two answers have told. */
function sightOf(changes: Partial<ConfirmationSight> = {}): ConfirmationSight {
  return {
    holder: { leaseMs: LEASE_MS },
    leaseMs: LEASE_MS,
    renewalDeadlineMs: undefined,
    leftMs: LEASE_MS,
    isContradicted: false,
    isTokenDoubted: false,
    lacksStoreTime: false,
    hasOneWitness: false,
    renewals: 0,
    isUp: false,
    ...changes,
  };
}

describe("a grant", () => {
  it.each<[string, Partial<ConfirmationSight>]>([
    ["with more than half of its lease left", { leftMs: LEASE_MS / 2 + 1 }],
    ["with more than half of what its holder uses of it left", { renewalDeadlineMs: 4000, leftMs: 2001 }],
    ["of a longer lease than was asked for", { holder: { leaseMs: 2 * LEASE_MS } }],
    ["undated, where the store tells no time", { holder: { leaseMs: LEASE_MS, undated: true }, lacksStoreTime: true }],
    ["undated, where one answer told it", { holder: { leaseMs: LEASE_MS, undated: true }, hasOneWitness: true }],
    ["with anything left, where there is no time for a renewal", { leftMs: 1, isUp: true }],
    ["with anything left, after three renewals", { leftMs: 1, renewals: 3 }],
  ])("is handed out %s", (_, changes) => {
    expect(confirmation(sightOf(changes))).toBe("hand-out");
  });

  it.each<[string, Partial<ConfirmationSight>]>([
    ["half of its lease is over", { leftMs: LEASE_MS / 2 }],
    ["half of what its holder uses of it is over", { renewalDeadlineMs: 4000, leftMs: 2000 }],
    ["half of it is over, however long its holder would use it", { renewalDeadlineMs: 2 * LEASE_MS, leftMs: 5000 }],
    ["half of it is over after two renewals", { leftMs: LEASE_MS / 2, renewals: 2 }],
    ["it is forgotten since when it counts", { leftMs: undefined }],
    ["a shorter lease was written than was asked for", { holder: { leaseMs: LEASE_MS - 1 } }],
    ["its time is contradicted", { isContradicted: true }],
    ["one answer only has told the time", { hasOneWitness: true }],
    ["it is undated and two answers have told the time since", { holder: { leaseMs: LEASE_MS, undated: true } }],
    ["nothing is left and there is no time for a renewal", { leftMs: 0, isUp: true }],
  ])("is renewed first where %s", (_, changes) => {
    expect(confirmation(sightOf(changes))).toBe("renew");
  });

  it.each<[string, Partial<ConfirmationSight>]>([
    ["nothing is left", { leftMs: 0 }],
    ["it is forgotten since when it counts", { leftMs: undefined }],
    ["its time is contradicted", { isContradicted: true }],
  ])("is of too short a lease where %s after three renewals", (_, changes) => {
    expect(confirmation(sightOf({ ...changes, renewals: 3 }))).toBe("too-short");
  });

  it("is given back where its token may have been given out before, whatever is left of it", () => {
    expect(confirmation(sightOf({ isTokenDoubted: true }))).toBe("give-back");
    expect(confirmation(sightOf({ isTokenDoubted: true, leftMs: 0, renewals: 3 }))).toBe("give-back");
  });
});
