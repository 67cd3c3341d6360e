import { isObject } from "./json.js";
import type { StoreTime } from "./store-time.js";

/**
 * The proof in a record: that a client has seen the store honour conditions, so that a client that reads it need not ask again. It is small, and
 * carried along by every writer that has not found it in a copy. Rules 70 to 73 of the design are here.
 */
export interface Proof {
  /** How the store was reached, and what for: a short hash of its URL, the style of addressing, the bucket and the key. */
  readonly way: string;
  /** When it was checked, in store time: only the client that has checked sets it. */
  readonly atMs: number;
  /** Whether the answers carried version ids: what a store does under versions is another matter than what it does without. */
  readonly versions: Versions;
  /** In which form ETags were sent in conditions that the store honoured, where that is not as it shows them. */
  readonly etagForm?: CarriedEtagForm | undefined;
}

/** Without the quotes (Ceph 16, DigitalOcean Spaces). What else is written there is not known here, and says nothing. */
export type CarriedEtagForm = "unquoted";

/** What the answers of a bucket say of versions; `suspended`: the version id is the text `null`. */
export type Versions = "enabled" | "suspended" | "none";

/** What a reader knows of the object that a proof is in. */
export interface ProofSight {
  readonly way: string;
  /** Store time as answers bound it; undefined without one, where no proof counts. */
  readonly now: StoreTime | undefined;
  /** When the store says that the object was written. */
  readonly lastModifiedMs: number | undefined;
  /** When its writer says so. */
  readonly touchedAtMs: number;
  /** What this very answer says of versions. */
  readonly versions: Versions | undefined;
}

/** Finds the proof that counts for this way to the store; undefined where there is none. */
export function proofFor(found: unknown, sight: ProofSight): Proof | undefined {
  const { way, now, versions } = sight;
  if (now === undefined || !isOriginal(sight)) return undefined;
  return proofsIn(found).find((proof) => proof.way === way && proof.versions === versions && isOfToday(proof, now));
}

/**
 * Says whether the store wrote an object when its writer says so: copying and restoring an object change that. What is found in a copy does
 * not speak for the store that it is in; nor is it carried along, since the next write would make it look new.
 */
export function isOriginal({
  lastModifiedMs = Number.NaN,
  touchedAtMs,
}: Pick<ProofSight, "lastModifiedMs" | "touchedAtMs">): boolean {
  return Math.abs(lastModifiedMs - touchedAtMs) <= WRITTEN_WITHIN_MS;
}

/** Says whether a proof is neither older than a day nor from the future, for all that is known of the store's clock. */
function isOfToday({ atMs }: Proof, { earliestMs, latestMs }: StoreTime): boolean {
  return atMs <= earliestMs && latestMs - atMs <= PROOF_LIFE_MS;
}

/**
 * Says whether a check is told to others: it was today, as far as that is known. One answer may be wrong by any amount, and bounds that it
 * has widened by more than a day do not tell which day it is.
 */
export function isToldAt(checkedAtMs: number, { earliestMs, latestMs }: StoreTime): boolean {
  return checkedAtMs <= latestMs && latestMs - Math.min(checkedAtMs, earliestMs) <= PROOF_LIFE_MS;
}

/** Makes the proof of what this client has seen; the form of ETags may have been found out since the check. */
export function proofOf(
  seen: Omit<Proof, "etagForm">,
  forms: { known(): CarriedEtagForm | undefined } | undefined,
): Proof {
  const etagForm = forms?.known();
  return etagForm === undefined ? seen : { ...seen, etagForm };
}

/** Adds one proof to these: the later one of the same way, those that are still of use, and no more than there is room for. */
export function withProof(found: unknown, proof: Proof, { latestMs }: StoreTime): readonly Proof[] {
  const proofs = proofsIn(found);
  const known = proofs.find(({ way }) => way === proof.way);
  const isKnown = known !== undefined && known.atMs >= proof.atMs && known.atMs <= latestMs;
  if (isKnown && known.versions === proof.versions && known.etagForm === proof.etagForm) return proofs;
  const others = proofs.filter(({ way, atMs }) => way !== proof.way && latestMs - atMs <= PROOF_LIFE_MS);
  return [proof, ...others].slice(0, MAX_PROOFS);
}

/** Picks the proofs from what was found: what is not understood is not a proof, and no reason not to read a record either. */
export function proofsIn(found: unknown): readonly Proof[] {
  return Array.isArray(found) ? (found.filter(isProof) as Proof[]) : [];
}

function isProof(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { way, atMs, versions } = value;
  return typeof way === "string" && Number.isFinite(atMs) && VERSIONS.has(versions);
}

const VERSIONS: ReadonlySet<unknown> = new Set<Versions>(["enabled", "suspended", "none"]);

/** A day: versioning may be turned on, a store be updated, a proxy be put in front of it. */
export const PROOF_LIFE_MS = 24 * 60 * 60 * 1000;
/** How many ways to one store are remembered: a client at home, one in the cloud, a proxy, and one to spare, at some 80 bytes each. */
export const MAX_PROOFS = 4;
/** Between the reading of the clock and the moment at which the store writes: a request, whole seconds, what clocks differ by. */
const WRITTEN_WITHIN_MS = 5000;
