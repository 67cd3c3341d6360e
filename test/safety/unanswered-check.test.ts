import { expect, it } from "vitest";
import { MARKER, processOn, serverWith } from "./processes.js";

/** Says what a caller is told where the store turns away all writes of the marker, and answers all else. */
async function toldBy(status: number, code: string, options: { readonly timeoutMs: number }): Promise<string> {
  const server = await serverWith();
  server.faults.add({ fault: "status", status, code, operation: "PutObject", key: MARKER });
  const { mutex } = processOn(server);
  const said = await mutex.acquire("z", options).then(String, ({ message }: Error) => message);
  // Closing would ask the store until it answers.
  server.faults.clear();
  return said;
}

it.each([
  [429, "TooManyRequests"],
  [503, "SlowDown"],
])("a caller whose time is up while the check is answered %i is told so", async (status, code) => {
  const said = await toldBy(status, code, { timeoutMs: 3000 });
  expect(said).toMatch(/^The lock "z" was not handed out within \d+ ms, since the store could not be checked/);
  expect(said).toContain(`the last answer: s3:PutObject on s3://safety/${MARKER}: ${status}`);
  expect(said).not.toMatch(/Nothing came|whether the lock "z" is free|got through/);
});
