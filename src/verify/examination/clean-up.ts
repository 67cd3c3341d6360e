import { inParallel } from "../../runtime/base/in-parallel.js";
import { sleep } from "../../runtime/base/timing.js";
import { THROTTLE_PAUSE_MS } from "../../store/object-store.js";
import type { Examination } from "./examination.js";
import type { ProbeOutcome } from "./probe-answer.js";
import type { ProbeRequests } from "./probe-requests.js";
import { type Finding, pass, warn } from "./report.js";

const CLEAN_UP_AT_ONCE = 16;

/** Removes what was written; the keys for which that was not possible, of those under which something may be. */
export async function removeAll(exam: Examination, lanes: readonly ProbeRequests[]): Promise<readonly string[]> {
  const { observations } = exam;
  const held = observations.writes.mayHold(exam.keys);
  const isHeld = new Set(held);
  // A write that was refused, and done all the same, is removed as well; a store that has not said a word has refused none.
  const refused = observations.told === 0 ? [] : [...exam.keys].filter((key) => !isHeld.has(key));
  const left: string[] = [];
  const pending = [...refused, ...held];
  // Where all is denied by now, as with credentials that have run out, one key shows that, and not each.
  if (observations.refused > 0 && (await isAllDenied(lanes, pending.at(-1)))) return held;
  const work = async (): Promise<void> => {
    for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
      if (!(await remove(lanes, key, exam))) left.push(key);
      // Each took several tries: who is gone by now is not waited for once more for each of hundreds of keys.
      if (left.length >= CLEAN_UP_AT_ONCE) left.push(...pending.splice(0));
    }
  };
  await Promise.all(Array.from({ length: CLEAN_UP_AT_ONCE }, work));
  return observations.writes.mayHold(left);
}

async function isAllDenied([lane]: readonly ProbeRequests[], key: string | undefined): Promise<boolean> {
  if (lane === undefined || key === undefined) return false;
  return isDenied(await lane.delete(key)) && isDenied(await lane.get(key));
}

function isDenied(outcome: ProbeOutcome): boolean {
  return outcome.kind === "refused" && outcome.error.code === "access-denied";
}

/**
 * Removes once more what may have landed since: a store that answers is given the time that a request has.
 * @param late keys of the writes that were under way when the clean-up began
 * @returns those that may still come, and those that could not be removed
 */
export async function removeLateWrites(
  exam: Examination,
  lanes: readonly ProbeRequests[],
  late: ReadonlySet<string>,
): Promise<{ readonly open: readonly string[]; readonly left: readonly string[] }> {
  const { writes } = exam.observations;
  await writes.over();
  const { givenUp } = writes;
  const open: string[] = [];
  const left: string[] = [];
  await inParallel(new Set([...late, ...givenUp]), CLEAN_UP_AT_ONCE, async (key) => {
    const isGone = await remove(lanes, key, exam);
    if (late.has(key) && givenUp.has(key)) open.push(key);
    else if (!isGone) left.push(key);
  });
  return { open, left: writes.mayHold(left) };
}

/**
 * Looks for what is left: a delete whose answer was lost may have been done, and one that was answered may not.
 * @param keys those that could not be removed, as far as the answers tell
 * @returns `unknown` where the store does not show it
 */
export async function whatIsLeft(
  { folder }: Examination,
  lane: ProbeRequests | undefined,
  keys: readonly string[],
): Promise<"none" | "some" | "unknown"> {
  const [first] = keys;
  if (lane === undefined) return first === undefined ? "none" : "unknown";
  const listing = await lane.list(folder, { pageSize: 1 });
  // A store that is silent, or denies all by now, is not asked about each.
  if (first !== undefined && listing.kind !== "answer") {
    const isSilent = listing.kind === "unknown" && listing.timing === undefined;
    if (isSilent || (await lane.get(first)).kind !== "answer") return "unknown";
  }
  const shown = (listing.kind === "answer" ? listing.keys : undefined)?.filter((key) => key.startsWith(folder)) ?? [];
  // A listing may be late to show what was written.
  const looked = [...shown.slice(0, 1), ...keys.slice(0, CLEAN_UP_AT_ONCE)];
  const found = await Promise.all(looked.map((key) => lane.get(key)));
  const statuses = found.map((read) => (read.kind === "answer" ? read.status : undefined));
  if (statuses.includes(200)) return "some";
  const isAllSeen = keys.length <= CLEAN_UP_AT_ONCE || listing.kind === "answer";
  return isAllSeen && statuses.every((status) => status === 404) ? "none" : "unknown";
}

export const CLEANED = pass("the examination's objects were removed");

/** Warns of what could not be removed, or is there all the same. */
export function objectsAreLeft(exam: Examination): Finding {
  return warn("objects of the examination are left", remedyFor(exam));
}

/** Warns of writes that have no answer by then, and names their keys. */
export function mayStillLand(exam: Examination, keys: readonly string[]): Finding {
  return warn(`a write was not answered, and may still be done: ${keys.join(", ")}`, remedyFor(exam));
}

/** Warns of what could not be removed, where the store does not show either whether it is there. */
export function cannotBeSeen(exam: Examination): Finding {
  return warn("objects of the examination may be left, since the store does not show what is there", remedyFor(exam));
}

/** Warns that the store has not answered, so that this was given up. */
export function notCleaned(exam: Examination): Finding {
  return warn("objects of the examination may be left, since the store does not answer", remedyFor(exam));
}

function remedyFor({ folder }: Examination): string {
  return `Remove what is under ${folder}; no lock is there.`;
}

async function remove(lanes: readonly ProbeRequests[], key: string, { effects }: Examination): Promise<boolean> {
  for (let tries = 0; tries < 4; tries += 1) {
    // Where one endpoint is away, another one may not be.
    const lane = lanes[tries % lanes.length] as ProbeRequests;
    const outcome = await lane.delete(key);
    if (outcome.kind === "answer") return true;
    // A policy may allow conditional deletes only.
    const found = outcome.kind === "refused" ? await lane.get(key) : undefined;
    if (found?.kind === "answer" && found.status === 404) return true;
    if (found?.kind === "answer" && found.etag !== undefined) {
      return (await lane.delete(key, found.etag)).kind === "answer";
    }
    // A store that is silent is not asked four times.
    if (outcome.kind === "unknown" && outcome.timing === undefined && tries > 0) return false;
    // What the store will not even look for, it has not taken.
    if (outcome.kind === "refused") return outcome.error.code !== "access-denied";
    await sleep(effects, outcome.throttled ? THROTTLE_PAUSE_MS : 100, { keepAlive: true });
  }
  return false;
}
