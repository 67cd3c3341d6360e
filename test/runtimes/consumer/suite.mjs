// The conformance suite over the server for tests, both in the runtime that is tried: suite.mjs GROUP...
import { runConformance, startS3Server } from "s3-mutex/testing";

const groups = process.argv.slice(2);
const server = await startS3Server({ buckets: ["locks"] });
const target = { s3ClientConfig: server.clientConfig(), bucketName: "locks" };
const report = await runConformance({ ...target, groups, racers: 8, rounds: 3 }, ({ passed, name, reason }) => {
  if (!passed) console.log(`not so: ${name} (${reason})`);
});
await server.close();
console.log(`suite: ${report.passed} passed, ${report.failed} failed`);
