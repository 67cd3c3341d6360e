import { afterAll } from "vitest";

// Read by Node when it starts: processes that tests start write there what they have executed (scripts/coverage-provider.mjs).
const { COVERAGE_OF_CHILDREN } = process.env;
if (COVERAGE_OF_CHILDREN !== undefined) process.env["NODE_V8_COVERAGE"] = COVERAGE_OF_CHILDREN;

/** After the last hook of a test file: a server that still listens is one that a test forgot to close. */
afterAll(async () => {
  const listening = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length;
  // What was closed a moment ago takes a turn or two of the event loop.
  for (let turn = 0; turn < 10 && listening() > 0; turn++) await new Promise((done) => setTimeout(done, 20));
  if (listening() > 0) throw new Error(`${listening()} server(s) still listen after this test file: close them`);
});
