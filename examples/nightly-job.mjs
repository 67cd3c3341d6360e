// Three machines start the same job at about the same time. One does it, the others find that it was done.
//
// A lock alone is not enough: the clocks of the machines differ, and a quick job would be over before the last of them
// starts. So what was done is written down, and looked at under the lock.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { end, machine } from "./store.mjs";

const folder = await mkdtemp(join(tmpdir(), "nightly-job-"));
const diary = join(folder, "last-done");
const today = new Date().toISOString().slice(0, 10);

async function nightlyJob(mutex, name) {
  const outcome = await mutex.withLock(
    "nightly-job",
    async (lock) => {
      if ((await readFile(diary, "utf8").catch(() => "")) === today) return "was done already";
      await sleep(50, undefined, { signal: lock.signal }); // the work, which stops when the lock is lost
      lock.assertHeld();
      await writeFile(diary, today);
      return "did it";
    },
    { timeoutMs: 120_000 }, // longer than the lease of one that has died, and than the job takes
  );
  // Null: it is not known whether it was done, since the holder of the lock may fail yet.
  if (outcome === null) throw new Error(`${name}: the lock was not free in time`);
  console.log(`${name}: ${outcome}`);
}

const machines = ["web-1", "web-2", "web-3"].map((name) => [name, machine(name)]);
await Promise.all(machines.map(([name, mutex], index) => sleep(index * 100).then(() => nightlyJob(mutex, name))));
await end(...machines.map(([, mutex]) => mutex));
await rm(folder, { recursive: true });
