import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A process of a group that has not ended. */
export interface Member {
  readonly pid: number;
  /** What it was started as, as far as the system tells. */
  readonly command: string;
}

/** Those who have not ended; a zombie has. Where there is no `/proc`, `ps` is asked; empty where neither answers. */
export function livingMembers(groupId: number): readonly Member[] {
  const pids = pidsOfProc();
  if (pids === undefined) return membersByPs(groupId);
  return pids.filter((pid) => isLivingMember(pid, groupId)).map((pid) => ({ pid, command: commandOf(pid) }));
}

/** The cheaper question, for asking often: one such process, at best the one that was the answer before. */
export function findLivingMember(groupId: number, previousPid: number | undefined): number | undefined {
  if (previousPid !== undefined && isLivingMember(previousPid, groupId)) return previousPid;
  return pidsOfProc()?.find((pid) => isLivingMember(pid, groupId)) ?? undefined;
}

/** Whether processes can be looked at one by one, as on Linux. */
export function hasProc(): boolean {
  try {
    readFileSync("/proc/self/stat");
    return true;
  } catch {
    return false;
  }
}

function pidsOfProc(): readonly number[] | undefined {
  if (!hasProc()) return undefined;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function isLivingMember(pid: number, groupId: number): boolean {
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

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replace(/\0+$/, "").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function membersByPs(groupId: number): readonly Member[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,pgid=,stat=,args="], { encoding: "utf8" });
  return parsePs(stdout ?? "", groupId);
}

/** Lines of `ps -o pid=,pgid=,stat=,args=`. */
export function parsePs(text: string, groupId: number): readonly Member[] {
  return text.split("\n").flatMap((line) => {
    const [, pid, group, state = "", command = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s*(.*)$/.exec(line) ?? [];
    return Number(group) === groupId && !/^[ZX]/.test(state) ? [{ pid: Number(pid), command }] : [];
  });
}
