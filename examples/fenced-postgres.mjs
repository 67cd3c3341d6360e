// The same with rows in PostgreSQL: the fencing token of the lock is checked in the transaction that writes. PGlite is
// PostgreSQL in this process (npm ci has installed it); with a server and another client the SQL is the same.
import { PGlite } from "@electric-sql/pglite";
import { end, machine } from "./store.mjs";

const database = new PGlite();
await database.exec(`
  CREATE TABLE fence (lock_name text PRIMARY KEY, token bigint NOT NULL);
  CREATE TABLE account (id text PRIMARY KEY, balance integer NOT NULL);
  INSERT INTO account VALUES ('17', 100);
`);

/**
 * Runs a transaction for a holder of a lock. Its first statement raises the token of the lock, and keeps the row locked until
 * the end: a holder of an older token finds a higher one, and does nothing.
 */
function fenced(lock, work) {
  return database.transaction(async (transaction) => {
    const { rows } = await transaction.query(
      `INSERT INTO fence (lock_name, token) VALUES ($1, $2)
       ON CONFLICT (lock_name) DO UPDATE SET token = excluded.token WHERE fence.token <= excluded.token
       RETURNING token`,
      [lock.name, lock.fencingToken],
    );
    if (rows.length === 0) throw new Error(`fenced out: a newer holder of ${lock.name} was here`);
    return await work(transaction);
  });
}

const balanceOf = (lock) =>
  fenced(lock, async (transaction) => {
    const { rows } = await transaction.query("SELECT balance FROM account WHERE id = '17'");
    return rows[0].balance;
  });
const setBalance = (lock, balance) =>
  fenced(lock, (transaction) => transaction.query("UPDATE account SET balance = $1 WHERE id = '17'", [balance]));

const [slow, quick] = [machine("slow"), machine("quick")];
const slowLock = await slow.acquire("account-17");
const seen = await balanceOf(slowLock);

// The slow one pauses here. An operator takes it for dead, and the quick one goes on.
await quick.releaseLock("account-17", true);
const quickLock = await quick.acquire("account-17");
await setBalance(quickLock, (await balanceOf(quickLock)) - 30);

// The slow one wakes up and writes what it has worked out from what it had read.
console.log(`the slow one believes that it holds the lock: ${slowLock.held}`);
await setBalance(slowLock, seen - 50).catch((error) => console.log(error.message));
console.log(`the balance is ${await balanceOf(quickLock)}`);

await quickLock.release();
await end(slow, quick);
await database.close();
