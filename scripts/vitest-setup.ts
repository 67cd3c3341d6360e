import { afterAll } from "vitest";
import { changedSince, processAsItIs } from "./process-as-it-is.js";

// Read by Node when it starts: processes that tests start write there what they have executed (scripts/coverage-provider.mjs).
const { COVERAGE_OF_CHILDREN } = process.env;
if (COVERAGE_OF_CHILDREN !== undefined) process.env["NODE_V8_COVERAGE"] = COVERAGE_OF_CHILDREN;

/** Checks after the last hook of a test file that no server still listens: one that does is one that a test forgot to close. */
afterAll(async () => {
  const listening = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length;
  // What was closed a moment ago takes a turn or two of the event loop.
  for (let turn = 0; turn < 10 && listening() > 0; turn++) await new Promise((done) => setTimeout(done, 20));
  if (listening() > 0) throw new Error(`${listening()} server(s) still listen after this test file: close them`);
});

// Files share a process: what one of them leaves changed, a test of another one fails by, some day. Taken before the file is loaded.
const before = processAsItIs();
afterAll(() => {
  const changed = changedSince(before);
  if (changed.length > 0) throw new Error(`changed for all files after this one, put back: ${changed.join(", ")}`);
});
