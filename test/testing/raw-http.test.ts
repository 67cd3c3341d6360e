import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { BUCKET, startHarness } from "./harness.js";

test("every answer has a Date from the server's clock", async () => {
  const { server, put } = await startHarness({ clockOffsetMs: 7_200_000 });
  const etag = await put("k", "v");
  const object = `${server.endpoint}/${BUCKET}/k`;
  const answers = await Promise.all([
    fetch(object),
    fetch(object, { headers: { "if-none-match": etag } }),
    fetch(object, { method: "PUT", body: "v", headers: { "if-none-match": "*" } }),
    fetch(object, { method: "HEAD", headers: { "if-match": "other" } }),
    fetch(`${server.endpoint}/absent/k`, { method: "DELETE" }),
    fetch(object, { method: "POST" }),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual([200, 304, 412, 412, 404, 501]);
  for (const answer of answers) {
    const aheadMs = Date.parse(answer.headers.get("date") ?? "") - Date.now();
    expect(Math.abs(aheadMs - 7_200_000)).toBeLessThan(5000);
  }
  server.setClockOffset(0);
  expect(Math.abs(Date.parse((await fetch(object)).headers.get("date") ?? "") - Date.now())).toBeLessThan(5000);
});

test("errors are S3's XML; 304 and answers to HEAD have no body", async () => {
  const { server, put } = await startHarness();
  const etag = await put("k", "v");
  const absent = await fetch(`${server.endpoint}/${BUCKET}/a%26b`);
  const xml = await absent.text();
  expect(absent.headers.get("content-type")).toBe("application/xml");
  expect(xml).toContain("<Code>NoSuchKey</Code>");
  expect(xml).toContain("<Key>a&amp;b</Key>");
  expect(xml).toContain(`<RequestId>${absent.headers.get("x-amz-request-id")}</RequestId>`);
  const object = `${server.endpoint}/${BUCKET}/k`;
  expect(await (await fetch(object, { headers: { "if-none-match": etag } })).text()).toBe("");
  expect(await (await fetch(`${server.endpoint}/${BUCKET}/absent`, { method: "HEAD" })).text()).toBe("");
});

test("aws-chunked bodies with trailing checksums are decoded, and malformed ones refused", async () => {
  const { server } = await startHarness();
  const url = `${server.endpoint}/${BUCKET}/k`;
  const send = (body: string, length: number) =>
    fetch(url, {
      method: "PUT",
      body,
      headers: {
        "content-encoding": "gzip,aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": `${length}`,
        "x-amz-trailer": "x-amz-checksum-crc32",
      },
    });
  const framed = "5;chunk-signature=abc\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
  expect((await send(framed, 6)).status).toBe(200);
  expect(server.getObject(BUCKET, "k")?.text).toBe("hello!");
  expect((await fetch(url, { method: "HEAD" })).headers.get("content-encoding")).toBe("gzip");
  for (const [body, length] of [
    [framed, 7],
    ["5\r\nhel", 5],
    ["hello", 5],
    ["5\r\nhelloXX0\r\n\r\n", 5],
  ] as const) {
    expect(await (await send(body, length)).text()).toContain("IncompleteBody");
  }
});

test("a client that asks first is told to go on", async () => {
  const { server } = await startHarness();
  const headers = { expect: "100-continue", "content-length": 2 };
  const request = httpRequest(`${server.endpoint}/${BUCKET}/k`, { method: "PUT", headers });
  request.flushHeaders();
  await once(request, "continue");
  request.end("hi");
  const [response] = await once(request, "response");
  expect(response.statusCode).toBe(200);
  expect(server.getObject(BUCKET, "k")?.text).toBe("hi");
});

test("a client that goes away half-way leaves nothing behind", async () => {
  const { server } = await startHarness();
  const socket = connect(server.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(`PUT /${BUCKET}/k HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(server.objects(BUCKET)).toEqual([]);
  expect(server.requests.total).toBe(0);
});

test("bucket.localhost is another way to name a bucket", async () => {
  const { server } = await startHarness();
  server.putObject(BUCKET, "a/b", "v");
  const request = httpRequest(`${server.endpoint}/a/b`, { headers: { host: `${BUCKET}.localhost:${server.port}` } });
  request.end();
  const [response] = await once(request, "response");
  expect(response.statusCode).toBe(200);
  response.resume();
});

test.each([
  ["a query that is not understood", "?tagging", {}],
  ["a copy", "", { "x-amz-copy-source": "/locks/other" }],
  ["a byte range", "", { range: "bytes=0-1" }],
])("%s is not taken for a plain request", async (_, query, headers) => {
  const { server } = await startHarness();
  const answer = await fetch(`${server.endpoint}/${BUCKET}/k${query}`, { method: "PUT", body: "v", headers });
  expect(answer.status).toBe(501);
  expect(server.objects(BUCKET)).toEqual([]);
});

test("DeleteObjects reads every way to escape a key, and refuses what is not a list of keys", async () => {
  const { server, put } = await startHarness();
  const remove = (xml: string) => fetch(`${server.endpoint}/${BUCKET}?delete`, { method: "POST", body: xml });
  for (const key of ["a&b", "é", "c"]) await put(key, "v");
  const escaped = await remove(
    "<Delete><Quiet>true</Quiet>" +
      "<Object><Key>a&#38;b</Key></Object><Object><Key>&#xE9;</Key></Object><Object><Key>&nothing;</Key></Object></Delete>",
  );
  expect(await escaped.text()).not.toContain("<Deleted>");
  expect(["a&b", "é", "c"].map((key) => server.getObject(BUCKET, key)?.text)).toEqual([undefined, undefined, "v"]);
  for (const xml of ["", "<Delete></Delete>", "<Delete><Object><ETag>c</ETag></Object></Delete>"]) {
    const refused = await remove(xml);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("<Code>MalformedXML</Code>");
  }
});
