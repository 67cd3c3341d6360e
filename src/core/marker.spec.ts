import { expect, it } from "vitest";
import { markerKey, parseMarker, serializeMarker } from "./marker.js";
import { keyOfName, nameOfKey } from "./names.js";

const MARKER = { writeId: "w", touchedAtMs: 5, proofs: [{ way: "here", atMs: 4, versions: "none" as const }] };

it("comes back as it was written", () => {
  expect(parseMarker(serializeMarker(MARKER))).toEqual(MARKER);
});

it("says that races were lost only where it was written so", () => {
  const doubted = { ...MARKER, lostRaces: true as const };
  expect(parseMarker(serializeMarker(doubted))).toEqual(doubted);
  expect(serializeMarker(MARKER)).not.toContain("lostRaces");
  for (const lostRaces of ["true", "1", "false"])
    expect(parseMarker(`{"writeId":"w","touchedAtMs":5,"proofs":[],"lostRaces":${lostRaces}}`)?.lostRaces).toBe(
      lostRaces === "true" ? true : undefined,
    );
});

it("what is not understood says nothing, and proofs that are not understood do not count", () => {
  for (const body of ["", "[]", "null", "{}", '{"writeId":1,"touchedAtMs":1}', '{"writeId":"w","touchedAtMs":"1"}'])
    expect(parseMarker(body)).toBeUndefined();
  expect(parseMarker('{"writeId":"w","touchedAtMs":1,"proofs":[1]}')).toEqual({
    writeId: "w",
    touchedAtMs: 1,
    proofs: [],
  });
});

it("is the key of no lock, under whatever prefix", () => {
  for (const prefix of ["", "locks/", "a/b"]) {
    const key = markerKey(prefix);
    expect(key).toBe(`${prefix}.s3-mutex/checked.json`);
    expect(markerKey(prefix, "-20000")).toBe(`${prefix}.s3-mutex/checked-20000.json`);
    expect(nameOfKey(prefix, key)).toBeUndefined();
    expect(nameOfKey("", key)).toBeUndefined();
    expect(keyOfName(prefix, ".s3-mutex/checked")).not.toMatchObject({ key });
  }
});
