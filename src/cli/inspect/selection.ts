import type { LockReport } from "../../index.js";
import type { OptionSpecs } from "../base/command.js";
import type { Values } from "../base/values.js";
import { mainHolder } from "./describe.js";

/** Which of the locks to show, and in which order. */
export interface Selection {
  readonly sort: SortKey;
  /** Only those with holders or waiters. */
  readonly isHeldOnly: boolean;
  /** Only those with this text in name, state, holder, host or a waiter's. */
  readonly filter: string | undefined;
}

const SORT_KEYS = ["name", "age", "left", "waiters", "token"] as const;
type SortKey = (typeof SORT_KEYS)[number];

/** The options that say it. */
export const SELECTION_OPTIONS: OptionSpecs = {
  held: { type: "boolean", help: "Only those with holders or waiters" },
  filter: { type: "string", value: "TEXT", help: "Only those with TEXT in name, state, owner, host or label" },
  sort: { type: "string", value: "BY", help: `What to sort by: ${SORT_KEYS.join(", ")} (default: name)` },
};

export function selectionOf(values: Values): Selection {
  return {
    sort: values.oneOf("sort", SORT_KEYS) ?? "name",
    isHeldOnly: values.flag("held"),
    filter: values.word("filter"),
  };
}

/** Ascending; what sorts high comes first, names from a to z. */
const RANK: Readonly<Record<Exclude<SortKey, "name">, (report: LockReport) => number>> = {
  age: (report) => -(mainHolder(report)?.heldMs ?? -1),
  left: (report) => mainHolder(report)?.leaseLeftMs ?? Number.POSITIVE_INFINITY,
  waiters: (report) => -report.waiters.length,
  token: (report) => -report.fencingToken,
};

export function selected(reports: readonly LockReport[], { sort, isHeldOnly, filter }: Selection): LockReport[] {
  const rank = sort === "name" ? () => 0 : RANK[sort];
  return reports
    .filter((report) => !isHeldOnly || report.holders.length > 0 || report.waiters.length > 0)
    .filter((report) => filter === undefined || mentions(report, filter.toLowerCase()))
    .sort((one, other) => compare(rank(one), rank(other)) || compare(one.lockName, other.lockName));
}

function compare<T extends number | string>(one: T, other: T): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function mentions(report: LockReport, text: string): boolean {
  const parties = [...report.holders, ...report.waiters].flatMap(({ owner, host, label }) => [owner, host, label]);
  return [report.lockName, report.state, ...parties].some((part) => part?.toLowerCase().includes(text));
}
