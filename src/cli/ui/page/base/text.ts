import { UNPRINTABLE } from "../../../../printable.js";
import type { PartyView } from "../../wire.js";

/** A record that says that something took longer is wrong, and by how much does not matter. */
const LONGEST_MS = 100 * 365 * 86_400_000;

/**
 * Writes a duration: `4 s`, `2 min 05 s`, `3 h 07 min`, `12 d 4 h`, `100 y+`, or `?` for what is not a number; below ten seconds with a
 * tenth where that is wanted.
 */
export function durationText(durationMs: number, { tenths = false } = {}): string {
  if (Number.isNaN(durationMs)) return "?";
  if (durationMs > LONGEST_MS) return "100 y+";
  const seconds = Math.max(0, durationMs) / 1000;
  if (tenths && seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor(whole / 3600) % 24} h`;
}

/** Writes a duration with milliseconds where they matter, for what happened in the past. */
export function spanText(durationMs: number): string {
  return durationMs < 1000 ? `${Math.round(durationMs)} ms` : durationText(durationMs, { tenths: true });
}

/** Writes the time of day here, as operators compare it with their logs. */
export function clockText(atMs: number): string {
  const at = new Date(atMs);
  if (Number.isNaN(at.getTime())) return "?";
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
}

/** Writes a rate or a count with as many digits as mean something. */
export function numberText(value: number): string {
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}

export function counted(count: number, noun: string): string {
  return `${numberText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Writes text from a record as it may be shown: what would be invisible, break the line or turn the reading direction around is spelled
 * out, so that no name looks like another one.
 */
export function visible(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

/** Says who it is, as short as an operator needs it: the label, otherwise the place, otherwise the owner. */
export function whoText(party: PartyView): string {
  if (party.label !== undefined && party.label !== "") return visible(party.label);
  return placeText(party) ?? visible(party.owner);
}

/** Names machine and process, where the record says them. */
export function placeText({ host, pid }: PartyView): string | undefined {
  if (host === undefined) return undefined;
  return pid === undefined ? visible(host) : `${visible(host)}:${pid}`;
}

/** Names label and place, or as much of it as there is. */
export function fullText(party: PartyView): string {
  const place = placeText(party) ?? visible(party.owner);
  return party.label ? `${visible(party.label)} · ${place}` : place;
}

/** Picks the same colour for the same holder everywhere: one of eight. */
export function hueOf(party: PartyView): number {
  let hash = 0;
  for (const character of fullText(party)) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % 8;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
