import { isSilent, turnsInWords } from "../measure/turns.js";
import { VERSIONINGS, type Versioning, type VersionsResult, type VersionsResults } from "../measure/versions.js";
import { observedFaults, type StoreResult } from "../result.js";

/** Says what a store comes to, in a few words. */
export function verdictOf(result: StoreResult): string {
  const { verdict, observation, versions } = result;
  if (verdict === "unsafe")
    return observedFaults(observation).length > 0 ? "**unsafe**: ignores conditions" : "**unsafe**: loses races";
  const unsafe = VERSIONINGS.filter((one) => versionsFaults(versions, one).length > 0);
  return unsafe.length === 0 ? "**safe**" : `**safe**, but not with versions (${unsafe.join(", ")})`;
}

/** Says why: what was seen, or is known of its code. */
export function whyOf(result: StoreResult): string {
  const { faults, observation } = result;
  // Where conditions are ignored, that races are lost follows.
  const ignored = observedFaults(observation);
  if (ignored.length > 0) return ignored.join("; ");
  const others = faults.filter((fault) => !fault.startsWith("not so: "));
  if (faults.length > 0) return (others.length > 0 ? others : faults).join("; ");
  return `conditions hold, and of racers one wins; ${removalOf(result)}`;
}

function removalOf({ observation, verification }: StoreResult): string {
  const { deleteStale, deleteCurrent } = observation;
  if (deleteStale.endsWith("gone")) return "its DELETE ignores them, so nothing is deleted";
  if (verification.details?.["Delete with an outdated ETag"]?.includes("beside a PUT"))
    return "its DELETE holds them, but not in races, so nothing is deleted";
  return deleteCurrent.endsWith("gone")
    ? "its DELETE holds them too"
    : "its DELETE refuses them, so nothing is deleted";
}

/** Describes two processes with the options that are default: what a user who has read nothing gets. */
export function twoProcesses({ turns }: Pick<StoreResult, "turns">): string {
  if (turns === undefined) return "not tried";
  const words = turnsInWords(turns);
  if (isSilent(turns)) return `**${words}**`;
  if (turns.done === 0 && turns.errors["store-unsafe"] !== undefined) return "refused (`store-unsafe`)";
  return turns.lost === 0 ? `${words}; none lost` : words;
}

/** Says what the store comes to in a bucket that keeps versions. */
export function versionsCell({ versions }: StoreResult, versioning: Versioning): string {
  const one = versions?.[versioning];
  if (one === undefined) return "not tried";
  if ("none" in one) return `none (${one.none})`;
  const faults = versionsFaults(versions, versioning);
  const refused =
    one.turns.errors["store-unsafe"] === undefined ? "" : `; two processes: ${twoProcesses({ turns: one.turns })}`;
  if (faults.length > 0) return `**unsafe**: ${faults.join("; ")}${refused}`;
  return `safe${markers(one)}${refused}`;
}

/** Says what a delete marker is to conditions, where no lock is granted twice by it. */
function markers({ observation: { createDeleted, replaceDeleted } }: VersionsResult): string {
  if (createDeleted === "200") return "";
  const under = replaceDeleted === "200" ? ", and `If-Match` takes the ETag under it" : "";
  return `; a delete marker counts as an object (${createDeleted} to a creation${under})`;
}

function versionsFaults(versions: VersionsResults | undefined, versioning: Versioning): string[] {
  const one = versions?.[versioning];
  if (one === undefined || "none" in one) return [];
  const silent = isSilent(one.turns) ? [`two processes: ${turnsInWords(one.turns)}`] : [];
  return [...observedFaults(one.observation), ...silent];
}

/** Rows of `doctor` that say what is odd about a store, and stand in no table. */
const NOTABLE = [
  "Keys",
  "Date of answers",
  "Reads during a slow write",
  "A write that is cut short",
  "Connections",
  "Lists",
  "Bodies",
];

/** Says what `doctor` warns of besides; undefined for nothing. */
export function notesOf({ title, verification }: StoreResult): string | undefined {
  const { details = {} } = verification;
  const notes = NOTABLE.flatMap((row) => (details[row] === undefined ? [] : [details[row]]));
  return notes.length === 0 ? undefined : `- **${title}**: ${notes.join("; ")}.`;
}
