import { readdirSync, readFileSync } from "node:fs";

/** Whether a process of this group has not ended yet, as Linux tells it; undefined where there is no `/proc` to ask. */
export function hasLivingMember(groupId: number): boolean | undefined {
  try {
    return readdirSync("/proc").some((name) => /^\d+$/.test(name) && isLivingMember(name, groupId));
  } catch {
    return undefined;
  }
}

function isLivingMember(pid: string, groupId: number): boolean {
  try {
    // pid (name) state parent group ...; the name may contain anything, parentheses too.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(group) === groupId && state !== "Z" && state !== "X";
  } catch {
    // It ended while we were looking.
    return false;
  }
}
