import type { Command } from "./base/command.js";

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
    name: "once",
    summary: "Run a command once across all machines, and remember that it was done",
    load: async () => (await import("./commands/once.js")).once,
  },
  {
    name: "elect",
    summary: "Run a service on one of many machines: whenever this one leads",
    load: async () => (await import("./commands/elect.js")).elect,
  },
  {
    name: "ls",
    summary: "List the locks: who holds what, since when, who waits",
    load: async () => (await import("./commands/ls.js")).ls,
  },
  {
    name: "show",
    summary: "Show one lock: its holders, its queue, its last turns",
    load: async () => (await import("./commands/show.js")).show,
  },
  {
    name: "watch",
    summary: "Watch locks change, as a live table",
    load: async () => (await import("./commands/watch.js")).watch,
  },
  {
    name: "graph",
    summary: "Show who waits for whom, and cycles",
    load: async () => (await import("./commands/graph.js")).graph,
  },
  {
    name: "release",
    summary: "End another holder's hold by force",
    load: async () => (await import("./commands/release.js")).release,
  },
  {
    name: "delete",
    summary: "Remove a lock that is no longer needed",
    load: async () => (await import("./commands/delete.js")).deleteCommand,
  },
  {
    name: "cleanup",
    summary: "Free locks whose leases have ended, remove those at rest",
    load: async () => (await import("./commands/cleanup.js")).cleanup,
  },
  {
    name: "doctor",
    summary: "Examine whether a store is safe to lock on",
    load: async () => (await import("./commands/doctor.js")).doctor,
  },
  {
    name: "bench",
    summary: "Measure what locks take on a store: time, requests, money",
    load: async () => (await import("./commands/bench.js")).bench,
  },
  {
    name: "policy",
    summary: "Print IAM policy, lifecycle rule and bucket policy for a store",
    load: async () => (await import("./commands/policy.js")).policy,
  },
  {
    name: "ui",
    summary: "Serve a dashboard of a store's locks to this machine's browsers",
    load: async () => (await import("./commands/ui.js")).ui,
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
  {
    name: "completion",
    summary: "Print what makes bash, zsh or fish complete commands, options and names",
    load: async () => (await import("./commands/completion.js")).completion,
  },
  {
    name: "man",
    summary: "Print all of the help as a manual page",
    load: async () => (await import("./commands/man.js")).man,
  },
];
