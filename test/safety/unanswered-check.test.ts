import { expect, it } from "vitest";
import type { S3Server } from "../../src/testing/index.js";
import { MARKER, processOn, serverWith } from "./processes.js";

/** Says what a caller is told where something is wrong with requests for the marker, and all else is answered. */
async function toldUnder(
  fault: Parameters<S3Server["faults"]["add"]>[0],
  options: { readonly timeoutMs: number },
): Promise<string> {
  const server = await serverWith();
  server.faults.add({ key: MARKER, ...fault });
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
  const said = await toldUnder({ fault: "status", status, code, operation: "PutObject" }, { timeoutMs: 3000 });
  expect(said).toMatch(/^The lock "z" was not handed out within \d+ ms, since the store could not be checked/);
  expect(said).toContain(`the last answer: s3:PutObject on s3://safety/${MARKER}: ${status}`);
  expect(said).not.toMatch(/Nothing came|whether the lock "z" is free|got through/);
});

it.each(["PutObject", "GetObject"] as const)(
  "a caller whose time is up while %s of the check has no answer is told so, and that the lock's own had one",
  async (operation) => {
    const said = await toldUnder({ fault: "never-answer", operation }, { timeoutMs: 1300 });
    expect(said).toMatch(/^The lock "z" was not handed out within \d+ ms, since the store could not be checked: /);
    expect(said).toContain(MARKER);
    expect(said).toMatch(/no answer yet\.$|No complete answer within \d+ ms/);
    expect(said).not.toMatch(/Nothing came|whether the lock "z" is free|let it be taken|the last answer/);
  },
);
