import type { HolderReport, LockReport, PartyReport } from "../../index.js";
import type { Colour } from "../base/output.js";
import { ageText, printable } from "../base/text.js";

/** Names a party in a word: the label, or the owner; of owners that the library made up, the beginning of the id. */
export function whoIs({ owner, host, pid, label }: PartyReport): string {
  if (label !== undefined && label !== "") return printable(label);
  const made = `${host}:${pid}:`;
  return printable(owner.startsWith(made) ? owner.slice(made.length, made.length + 8) : owner);
}

/** Says where a party runs, `host:pid`; empty where the record does not say. */
export function whereIs({ host, pid }: PartyReport): string {
  return host === undefined ? "" : printable(pid === undefined ? host : `${host}:${pid}`);
}

/** Names a party, and where it runs: `nightly (web-1:4711)` */
export function whoAndWhere(party: PartyReport): string {
  const where = whereIs(party);
  return where === "" ? whoIs(party) : `${whoIs(party)} (${where})`;
}

/** Shortens an acquisition's id to what tells it from others, and is enough for `release --holder`. */
export function shortId({ acquisitionId }: PartyReport): string {
  return printable(acquisitionId.slice(0, 8));
}

/** More than these are counted, not named. */
export const NAMED_MAX = 3;

/**
 * Describes the holders of a lock: `nightly (web-1:4711) for 3m12s with 52s of its lease left`
 * @param stays what is said of one that was given back and is held longer; `would have stayed` once that was ended
 */
export function holdersText({ holders }: LockReport, stays = "stays"): string {
  const named = holders.slice(0, NAMED_MAX).map((holder) => {
    const { heldMs, leaseLeftMs, acquiredAt, releasedAt } = holder;
    if (releasedAt !== undefined) {
      const [after, rest] = [ageText(releasedAt - acquiredAt), ageText(Math.max(0, leaseLeftMs))];
      return `${whoAndWhere(holder)}, which gave it back after ${after}: it ${stays} held for another ${rest}`;
    }
    const left = leaseLeftMs > 0 ? `${ageText(leaseLeftMs)} of its lease left` : "a lease that has ended";
    return `${whoAndWhere(holder)} for ${ageText(heldMs)} with ${left}`;
  });
  const more = holders.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(" and ");
}

/** Picks the holder that is shown where there is room for one: whose lease lasts longest. */
export function mainHolder({ holders }: LockReport): HolderReport | undefined {
  return holders.reduce<HolderReport | undefined>(
    (last, holder) => (last === undefined || holder.expiresAt > last.expiresAt ? holder : last),
    undefined,
  );
}

const COLOURS: Readonly<Record<LockReport["state"], Colour>> = {
  held: "green",
  expired: "yellow",
  free: "dim",
  unreadable: "red",
};

export function colourOfState({ state }: LockReport): Colour {
  return COLOURS[state];
}
