// Runs compiled examples one after the other, as modules of one program, against one embedded server. The last line of its
// output is JSON: what each printed, what it threw, and which locks it left behind.
import { format } from "node:util";
import { startS3Server } from "s3-mutex/testing";

const BUCKET = "my-bucket";
const server = await startS3Server({ buckets: [BUCKET] });
const { endpoint, region, credentials } = server.clientConfig();
// All that an example cannot know: where the store is, and who it is there.
process.env.AWS_ENDPOINT_URL_S3 = endpoint;
process.env.AWS_REGION = region;
process.env.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
process.env.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey;

const results = [];
for (const file of process.argv.slice(2)) results.push(await runExample(file));
process.stdout.write(`\n${JSON.stringify(results)}\n`, () => process.exit(0));

async function runExample(file) {
  const printed = [];
  const print = (...values) => void printed.push(format(...values));
  Object.assign(console, { log: print, warn: print, error: print });
  let error;
  try {
    const example = await import(file);
    // A function that something else calls: a Lambda handler.
    if (example.handler !== undefined) print(await example.handler({}, { getRemainingTimeInMillis: () => 60_000 }));
  } catch (thrown) {
    error = format(thrown);
  }
  await server.settled();
  return { printed, error, left: await leftLocks() };
}

/** What is still held or waited for a moment later: cancels of what was given up run behind the caller's back. */
async function leftLocks() {
  for (let look = 0; ; look += 1) {
    const busy = server
      .objects(BUCKET)
      .filter(({ key, text }) => key.endsWith(".json") && !key.includes(".s3-mutex/") && isBusy(text));
    if (busy.length === 0 || look === 20) return busy.map(({ key }) => key);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function isBusy(text) {
  const { locked, queue = [] } = JSON.parse(text);
  return locked || queue.length > 0;
}
