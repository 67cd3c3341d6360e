import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startS3Server } from "../../src/testing/index.js";
import { startCli, startStore } from "../cli/cli.js";
import { openScene } from "../ui/scene.js";
import { fuzz, sendRaw } from "./raw-requests.js";

const REQUESTS = 3000;

function text(lines: readonly string[], body = ""): string {
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return `${[...lines, "Host: 127.0.0.1", ...length].join("\r\n")}\r\n\r\n${body}`;
}

const STORE_REQUESTS = [
  text(["GET / HTTP/1.1"]),
  text(["GET /local/a HTTP/1.1", 'If-None-Match: "x"']),
  text(["HEAD /local/a HTTP/1.1"]),
  text(["PUT /local/a HTTP/1.1", "If-None-Match: *", "Content-Type: a/b", "x-amz-meta-a: b"], "body"),
  text(
    [
      "PUT /local/b HTTP/1.1",
      "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "Content-Encoding: aws-chunked",
    ],
    "5;chunk-signature=a\r\nhello\r\n0\r\n\r\n",
  ),
  text(["PUT /other HTTP/1.1"]),
  text(["DELETE /local/a HTTP/1.1", "If-Match: *"]),
  text(["GET /local?list-type=2&prefix=a&delimiter=%2F&max-keys=2&encoding-type=url HTTP/1.1"]),
  text(
    ["POST /local?delete HTTP/1.1"],
    "<Delete><Object><Key>a&#38;b</Key><ETag>&quot;x&quot;</ETag></Object></Delete>",
  ),
];

function uiRequests(token: string): string[] {
  const bearer = `Authorization: Bearer ${token}`;
  const release = (body: string) =>
    text(["POST /release HTTP/1.1", bearer, "Origin: http://127.0.0.1", "Content-Type: application/json"], body);
  return [
    text([`GET /?token=${token} HTTP/1.1`]),
    text(["GET /main.js HTTP/1.1"]),
    text(["GET /events HTTP/1.1", bearer]),
    // It is not a name, so nothing can be released by chance.
    release('{"lockName":"","tokens":[7]}'),
    release("{"),
  ];
}

test("the testing server takes whatever is sent, and goes on to serve", { timeout: 60_000 }, async () => {
  const server = await startS3Server({ buckets: ["local"] });
  onTestFinished(() => server.close());
  const serve = async () => {
    server.putObject("local", "good", "v");
    expect(await (await fetch(`${server.endpoint}/local/good`)).text()).toBe("v");
  };
  const { bad, served } = await fuzz({ port: server.port, seed: 1, count: REQUESTS, whole: STORE_REQUESTS, serve });
  expect(bad).toEqual([]);
  expect(served).toBeGreaterThan(10);
});

test("`s3-mutex serve` takes whatever is sent, and goes on to serve", { timeout: 60_000 }, async () => {
  const cli = startCli(["serve", "--port", "0", "--json"]);
  const { endpoint, port } = JSON.parse((await cli.says(/\{.*\}\n/))[0]);
  const serve = async () => {
    await fetch(`${endpoint}/local/good`, { method: "PUT", body: "v" });
    expect(await (await fetch(`${endpoint}/local/good`)).text()).toBe("v");
  };
  const { bad } = await fuzz({ port, seed: 2, count: REQUESTS, whole: STORE_REQUESTS, serve });
  expect(bad).toEqual([]);
  cli.process.kill("SIGTERM");
  expect(await cli.ended).toMatchObject({ exitCode: 0, stderr: "" });
});

test("the dashboard takes whatever is sent, and goes on to serve", { timeout: 60_000 }, async () => {
  const { environment, mutex } = await startStore();
  await using _held = await mutex.acquire("nightly");
  const cli = startCli(["ui", "--json"], environment);
  const url = new URL(JSON.parse((await cli.says(/\{.*\}\n/))[0]).url);
  const token = url.searchParams.get("token") ?? "";
  const serve = async () => expect((await fetch(url)).status).toBe(200);
  const whole = uiRequests(token);
  const { bad } = await fuzz({ port: Number(url.port), seed: 3, count: REQUESTS, whole, serve });
  expect(bad).toEqual([]);
  expect(await mutex.isLocked("nightly")).toBe(true);
  cli.process.kill("SIGTERM");
  expect(await cli.ended).toMatchObject({ exitCode: 0, stderr: "" });
});

test.each(["//", "//[", "http://[", "http://a:99999/", "//:x"])(
  "a path that is not a URL is refused: %s",
  async (target) => {
    const { origin } = await openScene();
    const { port } = new URL(origin);
    const answer = await sendRaw(Number(port), Buffer.from(text([`GET ${target} HTTP/1.1`])), "wait");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("The path of the request is not one.");
  },
);

test("a body that breaks off ends its own request only", async () => {
  const scene = await openScene();
  const { port } = new URL(scene.origin);
  const [whole = ""] = uiRequests(scene.token).slice(3);
  expect(await sendRaw(Number(port), Buffer.from(whole), "wait")).toMatch(/^HTTP\/1\.1 502 .*[\s\S]*lockName/);
  for (const ending of ["reset", "end", "wait"] as const) {
    await sendRaw(Number(port), Buffer.from(whole.slice(0, -3)), ending);
  }
  expect((await fetch(scene.url)).status).toBe(200);
});

const HALVES = {
  nothing: "",
  "half of a line": "GET / HT",
  "half of the headers": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
  "half of a body": "PUT /local/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nhalf",
  "half of a chunk": "PUT /local/a HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
};

async function isClosed(port: number, half: string): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).resume();
  onTestFinished(() => void socket.destroy());
  socket.write(half);
  await once(socket, "close");
  return true;
}

test.each(Object.entries(HALVES))("%s is closed in time", async (_name, half) => {
  const server = await startS3Server({ buckets: ["local"], requestTimeoutMs: 200 });
  onTestFinished(() => server.close());
  const scene = await openScene({ requestTimeoutMs: 200 });
  expect(await isClosed(server.port, half)).toBe(true);
  const whole = half
    .replace("PUT /local/a", "POST /release")
    .replace(
      "Host:",
      `Authorization: Bearer ${scene.token}\r\nOrigin: http://127.0.0.1\r\nContent-Type: application/json\r\nHost:`,
    );
  expect(await isClosed(Number(new URL(scene.origin).port), whole)).toBe(true);
});

test("what arrives slowly is cut off, though it never stops", async () => {
  const server = await startS3Server({ buckets: ["local"], requestTimeoutMs: 200 });
  onTestFinished(() => server.close());
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {}).resume();
  socket.write("PUT /local/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n");
  const dripping = setInterval(() => socket.write("x"), 20);
  onTestFinished(() => clearInterval(dripping));
  await once(socket, "close");
  expect(server.objects("local")).toEqual([]);
});

test("a connection may rest between two requests", async () => {
  const server = await startS3Server({ buckets: ["local"], requestTimeoutMs: 100 });
  onTestFinished(() => server.close());
  const socket = connect(server.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  for (const _ of [1, 2]) {
    socket.write(text(["GET /local/a HTTP/1.1"]));
    expect(String(await once(socket, "data"))).toMatch(/^HTTP\/1\.1 404/);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
});

test("a megabyte of opening tags is refused as quickly as it is read", async () => {
  const server = await startS3Server({ buckets: ["local"] });
  onTestFinished(() => server.close());
  for (const tag of ["<Object>", "<Object ", "<Object><Key>"]) {
    const body = tag.repeat(100_000);
    const sentMs = performance.now();
    expect((await fetch(`${server.endpoint}/local?delete`, { method: "POST", body })).status).toBe(400);
    expect(performance.now() - sentMs).toBeLessThan(2000);
  }
});

test("a body that is larger than what is kept is refused, and nothing of it is stored", async () => {
  const server = await startS3Server({ buckets: ["local"] });
  onTestFinished(() => server.close());
  const body = Buffer.alloc(129 * 1024 * 1024);
  const answer = await fetch(`${server.endpoint}/local/a`, { method: "PUT", body });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("<Code>EntityTooLarge</Code>");
  expect(server.objects("local")).toEqual([]);
});

test.each(["&#x110000;", "&#99999999999;", "&#xffffffffffff;"])(
  "a reference to what is not a character stays text: %s",
  async (key) => {
    const server = await startS3Server({ buckets: ["local"] });
    onTestFinished(() => server.close());
    const body = `<Delete><Object><Key>${key}</Key></Object></Delete>`;
    const answer = await fetch(`${server.endpoint}/local?delete`, { method: "POST", body });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(`<Key>&amp;${key.slice(1)}</Key>`);
  },
);

test("a failure of the server itself is answered by what it is, not by where it is", async () => {
  const server = await startS3Server({ buckets: ["local"] });
  onTestFinished(() => server.close());
  server.setLatency(() => {
    throw new Error("of the test's own");
  });
  const answer = await fetch(`${server.endpoint}/local/a`);
  expect(answer.status).toBe(500);
  const text = await answer.text();
  expect(text).toContain("<Message>Error: of the test's own</Message>");
  expect(text).not.toMatch(/\.[jt]s:\d/);
});
