import { readFileSync } from "node:fs";
import { parentOf } from "./living-members.js";

/** How often they are looked at: nothing reports their end. */
const LOOK_MS = 500;

/** What npm sets for the programs that it runs, and they for theirs. */
const MARK = "npm_lifecycle_event";

/**
 * Who this program runs under, from its parent to the outermost npm: a script of package.json that calls npx, or a file of
 * shell, has several in between. As of the first moment: npm may end before this program has come as far as to ask.
 */
const ANCESTORS: readonly number[] = process.env[MARK] === undefined ? [] : upToNpm(process.ppid);

/** npm had ended before that moment. */
const IS_LATE = ANCESTORS.length > 0 && isOfOrphans(ANCESTORS.at(-1) as number);

/**
 * Calls back when npm is gone. It passes SIGTERM on to the shell that it runs a script or a program of npx in, and to no other process:
 * the shell dies, npm with it, and what ran in it goes on, renewing in vain (npm/cli#6684). So there, and only there, the end of the
 * process that this runs under is a request to end. Elsewhere it is what `nohup`, `setsid` and `&` are for.
 */
export function onNpmGone(environment: NodeJS.ProcessEnv, gone: () => void): void {
  // On Windows a process keeps the id of its parent.
  if (environment[MARK] === undefined || process.platform === "win32") return;
  const timer = setInterval(() => {
    if (areAllThere()) return;
    clearInterval(timer);
    gone();
  }, LOOK_MS);
  timer.unref();
}

/** Says whether each is still the child of the next: one whose parent has ended is the child of another. */
function areAllThere(): boolean {
  if (IS_LATE) return false;
  const [parent, ...above] = ANCESTORS;
  return process.ppid === parent && above.every((pid, index) => parentOf(ANCESTORS[index] as number) === pid);
}

/** Lists the parent and its ancestors up to npm; where it cannot be told what others run under, as without `/proc`, the parent alone. */
function upToNpm(pid: number): readonly number[] {
  const parent = runsUnderNpm(pid) ? parentOf(pid) : undefined;
  return parent === undefined || parent === 0 ? [pid] : [pid, ...upToNpm(parent)];
}

/** Says whether a process takes in what is left behind: 1 or that of a user's session, unless it is npm itself, as in a container. */
function isOfOrphans(pid: number): boolean {
  const line = read(pid, "cmdline");
  const isTaker = pid === 1 || /^(\S*\/)?systemd\0/.test(line);
  return isTaker && !/node|npm|npx|yarn|bun/.test(line);
}

function runsUnderNpm(pid: number): boolean {
  return `\0${read(pid, "environ")}`.includes(`\0${MARK}=`);
}

/** Reads what `/proc` says of a process; nothing where it cannot be read. */
function read(pid: number, what: "environ" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, "latin1");
  } catch {
    return "";
  }
}
