import { isObject, parseJson } from "./json.js";
import { type Proof, proofsIn } from "./proof.js";

/**
 * The one object of a prefix that says that its store was checked, for callers of a lock that has no record yet. It is also
 * what the check tries conditions on, so that nothing has to be removed.
 */
export interface Marker {
  /** Unique to the write, as in records: equal bodies would have equal ETags. */
  readonly writeId: string;
  /** As in records. */
  readonly touchedAtMs: number;
  readonly proofs: readonly Proof[];
  /** A check has seen this store lose races, which shows only to one that races itself: whatever else it finds, it has to. */
  readonly lostRaces?: true | undefined;
}

/**
 * Makes its key; no lock has one like that: dots in names are escaped. It ends as theirs do, since what lies
 * between a client and its store may go by that: what holds for this key holds for those of locks.
 *
 * @param suffix of the marker of one day, where the one that is kept cannot be written, and of what is raced for
 */
export function markerKey(keyPrefix: string, suffix = ""): string {
  return `${keyPrefix}.s3-mutex/checked${suffix}.json`;
}

/** Reads what a body under that key says; undefined where it says nothing that is understood. */
export function parseMarker(body: string): Marker | undefined {
  const json = parseJson(body);
  if (!isObject(json)) return undefined;
  const { writeId, touchedAtMs, proofs, lostRaces } = json;
  if (typeof writeId !== "string" || typeof touchedAtMs !== "number") return undefined;
  return { writeId, touchedAtMs, proofs: proofsIn(proofs), ...(lostRaces === true && { lostRaces }) };
}

export function serializeMarker({ writeId, touchedAtMs, proofs, lostRaces }: Marker): string {
  return JSON.stringify({ writeId, touchedAtMs, proofs, lostRaces });
}
