import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A process of a group that has not ended. */
export interface Member {
  readonly pid: number;
  /** What it was started as, as far as the system tells. */
  readonly command: string;
}

/** Lists the members that have not ended; a zombie has. Where there is no `/proc`, `ps` is asked; empty where neither answers. */
export function livingMembers(groupId: number): readonly Member[] {
  const pids = pidsOfProc();
  if (pids === undefined) return membersByPs(groupId);
  return pids.filter((pid) => stateInGroup(pid, groupId) === "living").map((pid) => ({ pid, command: commandOf(pid) }));
}

/** What a look at a group has come upon: a living process of it, or only dead ones. */
export interface Found {
  readonly living: number | undefined;
  readonly dead: ReadonlySet<number>;
}

/** Asks the cheaper question, for asking often: one such process, at best the one that was the answer before. */
export function checkGroup(groupId: number, previousPid: number | undefined): Found {
  const dead = new Set<number>();
  if (previousPid !== undefined && stateInGroup(previousPid, groupId) === "living")
    return { living: previousPid, dead };
  for (const pid of pidsOfProc() ?? []) {
    const state = stateInGroup(pid, groupId);
    if (state === "living") return { living: pid, dead };
    if (state === "dead") dead.add(pid);
  }
  return { living: undefined, dead };
}

/** Says whether processes can be looked at one by one, as on Linux. */
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

function stateInGroup(pid: number, groupId: number): "living" | "dead" | "elsewhere" {
  const { state, group } = statOf(pid) ?? {};
  if (Number(group) !== groupId) return "elsewhere";
  return state === "Z" || state === "X" ? "dead" : "living";
}

/** Says whose child a process is; undefined where it has ended, or it cannot be told. */
export function parentOf(pid: number): number | undefined {
  const { parent } = statOf(pid) ?? {};
  return parent === undefined ? undefined : Number(parent);
}

function statOf(pid: number): Record<"state" | "parent" | "group", string | undefined> | undefined {
  try {
    // pid (name) state parent group ...; the name may contain anything, parentheses too.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state, parent, group };
  } catch {
    // It ended while we were looking.
    return undefined;
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

/** Parses lines of `ps -o pid=,pgid=,stat=,args=` into the members that have not ended. */
export function parsePs(text: string, groupId: number): readonly Member[] {
  return text.split("\n").flatMap((line) => {
    const [, pid, group, state = "", command = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s*(.*)$/.exec(line) ?? [];
    return Number(group) === groupId && !/^[ZX]/.test(state) ? [{ pid: Number(pid), command }] : [];
  });
}
