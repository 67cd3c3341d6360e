import { expect, it } from "vitest";
import {
  isToldAt,
  MAX_PROOFS,
  PROOF_LIFE_MS,
  type Proof,
  type ProofSight,
  proofFor,
  proofOf,
  proofsIn,
  withProof,
} from "./proof.js";

const T0 = Date.UTC(2026, 0, 1);
const at = (nowMs: number) => ({ earliestMs: nowMs, latestMs: nowMs });
const PROOF: Proof = { way: "here", atMs: T0, versions: "none" };
const NOW = T0 + 60_000;
const SIGHT: ProofSight = { way: "here", now: at(NOW), lastModifiedMs: NOW, touchedAtMs: NOW, versions: "none" };

const isProven = (sight: Partial<ProofSight>, proofs: unknown = [PROOF]) =>
  proofFor(proofs, { ...SIGHT, ...sight }) !== undefined;

it("believes a proof of its own way, and gives it as it is", () => {
  const other = { ...PROOF, way: "there" };
  expect(proofFor([other, PROOF], SIGHT)).toEqual(PROOF);
  expect(isProven({ way: "elsewhere" })).toBe(false);
  expect(isProven({}, [other])).toBe(false);
  expect(isProven({}, [])).toBe(false);
});

it("rule 70: believes it only where the store says that the object was written when its writer says", () => {
  expect(isProven({ lastModifiedMs: undefined })).toBe(false);
  for (const apart of [5000, -5000]) expect(isProven({ lastModifiedMs: NOW + apart })).toBe(true);
  for (const apart of [5001, -5001, 86_400_000]) expect(isProven({ lastModifiedMs: NOW + apart })).toBe(false);
  expect(isProven({ lastModifiedMs: Number.NaN })).toBe(false);
});

it("rule 71: a proof without versions says nothing about a bucket with them, nor the other way round", () => {
  for (const versions of ["enabled", "suspended", undefined] as const) expect(isProven({ versions })).toBe(false);
  expect(isProven({ versions: "enabled" }, [{ ...PROOF, versions: "enabled" }])).toBe(true);
});

it("rule 72: is valid for a day by the bounds of store time, never from the future, and never without bounds", () => {
  expect(isProven({ now: undefined })).toBe(false);
  const day = T0 + PROOF_LIFE_MS;
  expect(isProven({ now: at(day) })).toBe(true);
  expect(isProven({ now: at(day + 1) })).toBe(false);
  expect(isProven({ now: { earliestMs: day - 1000, latestMs: day + 1 } })).toBe(false);
  expect(isProven({ now: at(T0) })).toBe(true);
  expect(isProven({ now: at(T0 - 1) })).toBe(false);
  expect(isProven({ now: { earliestMs: T0 - 1, latestMs: T0 + 1000 } })).toBe(false);
});

it("rule 72: a check is told to others while it is known to be of today, and not while it is not known which day it is", () => {
  const day = T0 + PROOF_LIFE_MS;
  for (const nowMs of [T0, day]) expect(isToldAt(T0, at(nowMs))).toBe(true);
  for (const nowMs of [T0 - 1, day + 1]) expect(isToldAt(T0, at(nowMs))).toBe(false);
  // The wall clock was believed, and is not any more.
  expect(isToldAt(T0, { earliestMs: T0 - 500, latestMs: T0 + 500 })).toBe(true);
  expect(isToldAt(day, { earliestMs: T0, latestMs: day })).toBe(true);
  expect(isToldAt(day, { earliestMs: T0 - 1, latestMs: day })).toBe(false);
});

it("rule 73: keeps one proof a way, the later one, and four ways at most", () => {
  const later = { ...PROOF, atMs: T0 + 1000 };
  const ways = ["a", "b", "c", "d"].map((way) => ({ ...PROOF, way }));
  expect(withProof(undefined, PROOF, at(NOW))).toEqual([PROOF]);
  expect(withProof([PROOF], later, at(NOW))).toEqual([later]);
  expect(withProof([later], PROOF, at(NOW))).toEqual([later]);
  expect(withProof([PROOF], PROOF, at(NOW))).toEqual([PROOF]);
  const full = withProof(ways, PROOF, at(NOW));
  expect(full).toHaveLength(MAX_PROOFS);
  expect(full[0]).toEqual(PROOF);
  expect(withProof(ways.slice(1), PROOF, at(NOW))).toHaveLength(4);
});

it("makes room for its own proof where the one that is there is of the future, of other versions, or of another day", () => {
  const ahead = { ...PROOF, atMs: NOW + 1 };
  expect(withProof([ahead], PROOF, at(NOW))).toEqual([PROOF]);
  const versioned = { ...PROOF, atMs: T0 + 1, versions: "enabled" as const };
  expect(withProof([versioned], PROOF, at(NOW))).toEqual([PROOF]);
  const old = { ...PROOF, way: "there", atMs: NOW - PROOF_LIFE_MS - 1 };
  const young = { ...old, way: "then", atMs: NOW - PROOF_LIFE_MS };
  expect(withProof([old, young], PROOF, at(NOW))).toEqual([PROOF, young]);
});

it("leaves everything as it is where its own is there already, or one as late as the clock", () => {
  const old = { ...PROOF, way: "there", atMs: NOW - PROOF_LIFE_MS - 1 };
  expect(withProof([old, PROOF], PROOF, at(NOW))).toEqual([old, PROOF]);
  const now = { ...PROOF, atMs: NOW };
  expect(withProof([now], PROOF, at(NOW))).toEqual([now]);
});

it("what is not understood is not a proof", () => {
  const odd = [null, 1, "x", {}, { ...PROOF, way: 1 }, { ...PROOF, atMs: "x" }, { ...PROOF, versions: "maybe" }];
  expect(proofsIn([...odd, PROOF])).toEqual([PROOF]);
  for (const found of [undefined, null, "x", { 0: PROOF }]) expect(proofsIn(found)).toEqual([]);
  expect(isProven({}, odd)).toBe(false);
});

it("carries the form of ETags that its writer goes by, and takes the place of a proof that says otherwise", () => {
  const unquoted = { ...PROOF, etagForm: "unquoted" as const };
  expect(proofOf(PROOF, undefined)).toBe(PROOF);
  expect(proofOf(PROOF, { known: () => undefined })).toBe(PROOF);
  expect(proofOf(PROOF, { known: () => "unquoted" })).toEqual(unquoted);
  expect(withProof([PROOF], unquoted, at(NOW))).toEqual([unquoted]);
  expect(withProof([unquoted], PROOF, at(NOW))).toEqual([PROOF]);
  expect(withProof([unquoted], unquoted, at(NOW))).toEqual([unquoted]);
  expect(proofFor([unquoted], SIGHT)).toEqual(unquoted);
});

it("is a proof all the same where the form is one that is not known here", () => {
  for (const etagForm of ["in brackets", 7, null]) expect(isProven({}, [{ ...PROOF, etagForm }])).toBe(true);
});
