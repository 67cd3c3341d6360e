// Three replicas of a new version start together. None of them may serve before the database fits, and the migrations must run
// once, in order: the first through the gate runs what is missing, the others find nothing to do.
//
// What was done is in the database, not in the lock: a replica that dies half way leaves the rest to the next one. And the
// database checks the fencing token, so that a replica that was taken for dead cannot run an old migration late.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { end, machine } from "./store.mjs";

/** Stands for a database with transactions: every change checks the token and notes the migration in one step. */
class Database {
  applied = [];
  #highestToken = 0;

  migrate(name, fencingToken) {
    if (fencingToken < this.#highestToken) throw new Error("refused: a newer holder was here");
    this.#highestToken = fencingToken;
    this.applied.push(name);
  }
}

const MIGRATIONS = ["create-accounts", "add-balance", "index-balance"];
const database = new Database();

async function start(mutex, name, { diesAfter = Number.POSITIVE_INFINITY, timeoutMs = 120_000 } = {}) {
  // Waits for longer than the lease of one that has died (60 s) and its tolerance (1 s), and for migrations to end.
  const isDone = await mutex.withLock(
    "migrations",
    async (lock) => {
      for (const migration of MIGRATIONS.filter((one) => !database.applied.includes(one))) {
        if (diesAfter-- === 0) throw new Error("the machine is gone");
        await sleep(30, undefined, { signal: lock.signal }); // the work, which stops when the lock is lost
        database.migrate(migration, lock.fencingToken);
        console.log(`${name} ran ${migration}`);
      }
      return true;
    },
    { timeoutMs },
  );
  // Null: it has not run, and a replica that cannot migrate must not serve. The orchestrator is told, and starts it again.
  if (isDone === null) throw new Error(`does not serve: the migrations were not free within ${timeoutMs} ms`);
  console.log(`${name} serves`);
}

const [first, second, third] = ["web-1", "web-2", "web-3"].map((name) => machine(name));
const throughTheGate = once(first, "acquired");
const dies = start(first, "web-1", { diesAfter: 1 }).catch(({ message }) => console.log(`web-1: ${message}`));
await throughTheGate;
await Promise.all([dies, start(second, "web-2"), start(third, "web-3")]);

// Another process is at it for longer than the next one has patience.
const long = await first.acquire("migrations");
await start(second, "web-4", { timeoutMs: 100 }).catch(({ message }) => console.log(`web-4 ${message}`));
await long.release();
console.log(`the database has ${database.applied.join(", ")}`);
await end(first, second, third);
