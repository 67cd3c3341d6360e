import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { S3Mutex } from "../../src/index.js";
import { type S3Server, type S3ServerOptions, startS3Server } from "../../src/testing/index.js";

/** The CLI as users have it: the built file, in processes of its own. */
export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export const BUCKET = "my-bucket";
export const STORE = `s3://${BUCKET}/locks/`;

/** Nothing of the shell that runs the tests may decide where the CLI looks. */
export const NEUTRAL = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      !/^(AWS_|S3_MUTEX_|npm_lifecycle_event$|npm_command$|NODE_OPTIONS$|NO_COLOR$|FORCE_COLOR$|(https?|no)_proxy$)/i.test(
        name,
      ),
  ),
);

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What it has said on stdout so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly ended: Promise<Ended>;
  /** Resolves with the match once stdout or stderr has it; rejects when the CLI ends without. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

export type Environment = Readonly<Record<string, string>>;

/** Starts the CLI; it is killed at the end of the test at the latest. */
export function startCli(args: readonly string[], environment: Environment = {}): Cli {
  if (!existsSync(MAIN)) throw new Error("dist/cli/main.js is missing: run `npm run build` first");
  return startProgram(process.execPath, [MAIN, ...args], environment);
}

/** Starts a program as {@link startCli} does, for what starts the CLI itself. */
export function startProgram(
  command: string,
  args: readonly string[],
  environment: Environment = {},
  folder?: string,
): Cli {
  const child = spawn(command, args, {
    env: { ...NEUTRAL, ...environment },
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
      child.emit("said");
    });
  }
  // Not "close": what a killed CLI left running may keep the pipes open.
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const drained = Promise.race([once(child, "close"), exited.then(() => new Promise((done) => setTimeout(done, 500)))]);
  const ended = Promise.all([exited, drained]).then(([[exitCode, signal]]) => ({ exitCode, signal, ...said }));
  return {
    process: child,
    pid: child.pid as number,
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
    ended,
    async says(pattern) {
      let isOver = false;
      void ended.then(() => {
        isOver = true;
        child.emit("said");
      });
      for (;;) {
        const match = pattern.exec(said.stdout) ?? pattern.exec(said.stderr);
        if (match !== null) return match;
        if (isOver) throw new Error(`the CLI ended without saying ${pattern}:\n${said.stdout}${said.stderr}`);
        await once(child, "said");
      }
    },
  };
}

/** Runs the CLI to its end. */
export function cli(args: readonly string[], environment: Environment = {}): Promise<Ended> {
  return startCli(args, environment).ended;
}

/** Starts a store for one test, and gives the environment that leads the CLI to it, and a library client of it. */
export async function startStore(options: S3ServerOptions = {}): Promise<{
  readonly server: S3Server;
  readonly environment: Environment;
  readonly mutex: S3Mutex;
}> {
  const server = await startS3Server({ buckets: [BUCKET], ...options });
  const mutex = new S3Mutex({ s3ClientConfig: server.clientConfig(), bucketName: BUCKET });
  onTestFinished(async () => {
    // In this order: what the test still holds is released while there is a server to release it to.
    await mutex.close({ handles: "release" });
    await server.close();
  });
  return { server, mutex, environment: environmentFor(server.endpoint) };
}

export function environmentFor(endpoint: string): Environment {
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    S3_MUTEX_STORE: STORE,
  };
}

/** Reads the lock's record as it stands in the store. */
export function recordOf(server: S3Server, lockName: string): LockRecord | undefined {
  const object = server.getObject(BUCKET, `locks/${lockName}.json`);
  return object === undefined ? undefined : (JSON.parse(object.text) as LockRecord);
}

interface LockRecord {
  readonly token: number;
  readonly holders: readonly { readonly token: number; readonly expiresAtMs: number; readonly label?: string }[];
  readonly queue: readonly { readonly pid?: number; readonly priority: number }[];
}

/** Resolves when a look at the outside world says so; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Says whether a process is there and is not merely waiting for a parent that never buries it. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    // Where there is no /proc, it is there and that is all we know.
    return (error as NodeJS.ErrnoException).code === "ENOENT" && !existsSync("/proc/self/stat");
  }
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "s3-mutex-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
