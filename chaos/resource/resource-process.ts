import { createServer, type Socket } from "node:net";
import type { FromResource, Tally, ToResource, Violation } from "../messages.js";
import { Guardian } from "./guardian.js";
import { ProtectedCounter, type ProtectedCounterEvents } from "./protected-counter.js";
import { type Answer, type Numbered, onLine, type Question, sendLine } from "./wire.js";

/**
 * What the locks protect, in a process that is never killed or frozen: it is the authority on what was acknowledged. It is
 * also the one that cleans up behind a conductor that crashed.
 */
const { folder, lockNames } = JSON.parse(process.argv[2] ?? "{}") as { folder: string; lockNames: readonly string[] };

const violations: Record<Violation["kind"], number> = { "lost-update": 0, "token-fell": 0, "token-granted-twice": 0 };
/** A broken worker breaks things all the time: the hundredth would not be read. */
const VIOLATIONS_TOLD_MAX = 20;

const events: ProtectedCounterEvents = {
  takeover: (text) => tell({ kind: "takeover", text }),
  refused: (text, { pid }, wasSure) => tell({ kind: "refused", text, pid, wasSure }),
  violation(violation) {
    violations[violation.kind] += 1;
    if (violations[violation.kind] <= VIOLATIONS_TOLD_MAX) tell({ kind: "violation", violation });
  },
};
const counters = new Map(lockNames.map((lockName) => [lockName, new ProtectedCounter(lockName, events)]));
const guardian = new Guardian(folder);
let lookout = (): void => {};

function tell(message: FromResource): void {
  if (process.connected) process.send?.(message);
}

function answer(question: Question): Answer {
  const counter = counters.get(question.lock);
  if (counter === undefined) throw new Error(`there is no lock ${question.lock}`);
  switch (question.ask) {
    case "floor":
      return { floor: counter.floor };
    case "enter": {
      const values = counter.enter(question, question.floor);
      lookout();
      return values;
    }
    case "write":
      counter.writePlain(question.plain);
      // A worker that was refused when it read has nothing to write.
      return {
        accepted: question.checked !== undefined && counter.write(question, question.checked, question.wasSure),
      };
    case "leave":
      counter.leave(question);
      return {};
  }
}

function tally(): Tally {
  return { locks: [...counters.values()].map((counter) => counter.tally()), violations: { ...violations } };
}

/** Tells when one of these is in a critical section: victims are best caught in the act. One lookout at a time. */
function lookOut(pids: readonly number[], waitMs: number): void {
  const answer = (found: readonly number[]) => {
    clearTimeout(timer);
    lookout = () => {};
    tell({ kind: "inside", pids: found });
  };
  const timer = setTimeout(() => answer([]), waitMs);
  lookout = () => {
    const found = [...counters.values()].flatMap(({ inside }) => inside?.pid ?? []).filter((pid) => pids.includes(pid));
    if (found.length > 0) answer(found);
  };
  lookout();
}

const server = createServer((socket: Socket) => {
  // A worker that was killed resets its connection.
  socket.on("error", () => socket.destroy());
  onLine<Numbered<Question>>(socket, (question) => sendLine(socket, { ...answer(question), id: question.id }));
});

process.on("message", (message: ToResource) => {
  if (message.kind === "guard") guardian.add(message.pid);
  else if (message.kind === "unguard") guardian.remove(message.pid);
  else if (message.kind === "tally") tell({ kind: "tally", tally: tally() });
  else lookOut(message.of, message.waitMs);
});
// Ctrl-C reaches all processes; the conductor decides what becomes of it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
process.on("disconnect", () => {
  guardian.cleanUp();
  process.exit();
});
server.listen({ host: "127.0.0.1", port: 0 }, () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) tell({ kind: "listening", port: address.port });
});
