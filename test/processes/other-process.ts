import { S3Client } from "@aws-sdk/client-s3";

/** Runs by itself, as a child of `process.test.ts`; prints a line of JSON for each thing that it has done. */
const [endpoint = "", what = "", clockOffsetMs = "0"] = process.argv.slice(2);

const rightNow = Date.now;
Date.now = () => rightNow() + Number(clockOffsetMs);

function listeners(): Record<string, number> {
  return Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));
}

const listenersBefore = listeners();
const { S3Mutex } = await import("../../src/index.js");

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const s3Client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
const mutex = new S3Mutex({
  s3Client,
  bucketName: "locks-bucket",
  lockTimeoutMs: 900,
  clockSkewToleranceMs: 0,
  verify: "never",
});

function say(done: string, details: object = {}): void {
  console.log(JSON.stringify({ done, at: rightNow(), ...details }));
}

const sleep = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

const SCRIPTS: Record<string, () => Promise<void>> = {
  async "ends while it holds"() {
    await mutex.acquire("by-handle");
    await mutex.acquireLock("by-name");
    say("holds", { listenersBefore, listeners: listeners() });
  },
  async "waits without a limit"() {
    const lock = await mutex.acquire("waited-for");
    say("had it");
    await lock.release();
  },
  async "leads until it is told to stop"() {
    const election = mutex.election("led", { leaseMs: 900 });
    await election.runWhenLeader((signal) => {
      say("leads");
      return new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
  },
  async "waits for its signal"() {
    const work = mutex.withLock("held", ({ signal }) => {
      say("holds");
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve("ended")));
    });
    await work.catch(({ code }) => say(code));
  },
  async "waits with its clock off"() {
    const taken = await mutex.acquire("left-behind");
    say("took over", { token: taken.fencingToken });
    await sleep(1500);
    taken.assertHeld();
    say("still holds", { held: taken.held });
    await taken.release();
  },
};

await SCRIPTS[what]?.();
