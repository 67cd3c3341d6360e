import type { Command } from "./command.js";

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** All commands, in the order of the help. To add one: a file in `commands/`, and an entry here. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "run",
    summary: "Run a command while holding a lock",
    load: async () => (await import("./commands/run.js")).run,
  },
  {
    name: "serve",
    summary: "Start an S3 server for development, to try locks on",
    load: async () => (await import("./commands/serve.js")).serve,
  },
  {
    name: "demo",
    summary: "See processes die and freeze while they hold a lock, and nothing get lost",
    load: async () => (await import("./commands/demo.js")).demo,
  },
];
