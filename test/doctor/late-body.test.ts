import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startS3Server } from "../../src/testing/index.js";
import { bothWinByLateBody } from "../../src/verify/races/late-body.js";
import { BUCKET, examinationOf } from "./examine.js";

/** Judges a write when its headers have come, or its body; `turn`: whether it holds the key meanwhile. */
async function startStore(judges: "headers" | "body", holdsKey: boolean): Promise<string> {
  const objects = new Map<string, string>();
  let turn = Promise.resolve();
  const judge = (request: IncomingMessage, key: string) => {
    const wanted = request.headers["if-match"];
    return request.headers["if-none-match"] === "*" ? !objects.has(key) : wanted === objects.get(key);
  };
  const put = async (request: IncomingMessage, response: ServerResponse) => {
    const key = request.url?.split("?")[0] ?? "";
    const early = judge(request, key);
    for await (const _ of request);
    if (!(judges === "headers" ? early : judge(request, key))) return void response.writeHead(412).end();
    objects.set(key, `"${objects.size}-${Math.random()}"`);
    response.writeHead(200, { etag: objects.get(key) as string }).end();
  };
  const server = createServer((request, response) => {
    const mine = holdsKey ? turn.then(() => put(request, response)) : put(request, response);
    if (holdsKey) turn = mine;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each([
  ["headers", false, true],
  ["headers", true, false],
  ["body", false, false],
] as const)(
  "a store that judges by the %s (holds the key: %s) tells both that they won: %s",
  async (judges, holds, both) => {
    const { exam } = examinationOf(await startStore(judges, holds));
    for (let round = 0; round < 3; round += 1) expect(await bothWinByLateBody(exam)).toBe(both);
  },
  30_000,
);

test("the server for tests lets one win, and the object is the winner's", async () => {
  await using server = await startS3Server({ buckets: [BUCKET] });
  expect(await bothWinByLateBody(examinationOf(server.endpoint).exam)).toBe(false);
});
