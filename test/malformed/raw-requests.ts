import { connect } from "node:net";
import { Random } from "../../src/testing/virtual/random.js";

/** Requests as no client sends them: whole ones that were damaged, odd ones, and bytes that are not requests. */

const METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "get", "PROPFIND", ""];
const TARGETS = [
  "/",
  "//",
  "///",
  "*",
  "?",
  "/?",
  "//[",
  "//[::1",
  "//:x",
  "http://",
  "http://[",
  "http://a:99999/",
  "/\\\\[",
  "/%",
  "/%ff%fe",
  "/%00",
  "/..",
  "/a/../../b",
  "/events",
  "/release",
  "/?token=%zz",
  "/local?list-type=2&max-keys=-1",
  "/local?list-type=2&continuation-token=%ff",
  "/local?delete",
  "/local/a",
  `/${"a".repeat(5000)}`,
  "\t",
  "/\u0000",
  "/é",
];
const HEADERS = [
  "Content-Length: 5",
  "Content-Length: -1",
  "Content-Length: 99999999999999999999",
  "Content-Length: 3\r\nContent-Length: 4",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Expect: 100-continue",
  "Expect: nothing",
  "Upgrade: websocket\r\nConnection: Upgrade",
  "Connection: close",
  "Content-Type: application/json",
  "Content-Encoding: aws-chunked",
  "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "x-amz-decoded-content-length: x",
  "x-amz-meta-é: \u0080",
  "If-Match: *",
  'If-None-Match: "',
  "Range: bytes=-",
  "Cookie: ====;;;",
  "Authorization: Bearer ",
  "Origin: null",
  ": empty",
  "no colon",
  `X: ${"y".repeat(20_000)}`,
];
const BODIES = [
  "",
  "{",
  "null",
  '{"lockName":{},"tokens":[1e999]}',
  "5\r\nhello\r\n0\r\n\r\n",
  "ffffffffffff\r\n",
  "zz\r\n\r\n",
  "<Delete><Object><Key>&#x110000;</Key></Object></Delete>",
  "<Delete><Object><Key>&#99999999999999;&#xD800;</Key></Object></Delete>",
  "<Object><Key>".repeat(500),
  "\u0000\u0001\u0002",
];
const FRAGMENTS = [
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\u0000",
  "%",
  "%ff",
  "[",
  "]",
  "//",
  " ",
  ":",
  "HTTP/9.9",
  "\uffff",
  "&#x110000;",
];

/** Makes a request that is random bytes, odd, or damaged. `whole`: requests that the server would answer, to be damaged. */
export function rawRequest(random: Random, host: string, whole: readonly string[]): Buffer {
  const kind = random.number();
  if (kind < 0.1) return Buffer.from(Array.from({ length: 1 + random.number() * 300 }, () => random.number() * 256));
  if (kind < 0.55) return oddRequest(random, host);
  return damaged(random, Buffer.from(random.pick(whole), "latin1"));
}

function oddRequest(random: Random, host: string): Buffer {
  const body = random.pick(BODIES);
  const headers = Array.from({ length: random.number() * 4 }, () => random.pick(HEADERS));
  const length = random.number() < 0.6 ? [`Content-Length: ${Buffer.byteLength(body)}`] : [];
  const version = random.number() < 0.95 ? "HTTP/1.1" : random.pick(["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", ""]);
  const hosts = random.number() < 0.9 ? [`Host: ${host}`] : [];
  const lines = [`${random.pick(METHODS)} ${random.pick(TARGETS)} ${version}`, ...hosts, ...headers, ...length];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

function damaged(random: Random, whole: Buffer): Buffer {
  let bytes = whole;
  for (let times = 1 + random.number() * 4; times >= 1; times--) {
    const at = Math.floor(random.number() * bytes.length);
    const until = Math.min(bytes.length, at + 1 + Math.floor(random.number() * 20));
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (Math.floor(random.number() * 5)) {
      case 0:
        bytes = before;
        break;
      case 1:
        bytes = Buffer.concat([before, Buffer.from(random.pick(FRAGMENTS)), after]);
        break;
      case 2:
        bytes = Buffer.concat([before, bytes.subarray(until)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, until), after]);
        break;
      default:
        bytes = Buffer.concat([before, Buffer.from([random.number() * 256]), after.subarray(1)]);
    }
  }
  return bytes;
}

/** Sends bytes, and gives what the server said until it closed the connection, or for a moment where it did not. */
export function sendRaw(port: number, bytes: Buffer, ending: "wait" | "reset" | "end"): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    const over = () => {
      clearTimeout(patience);
      socket.destroy();
      resolve(answer);
    };
    const patience = setTimeout(over, ANSWER_PATIENCE_MS);
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      patience.refresh();
    });
    socket.on("error", over);
    socket.on("close", over);
    socket.write(bytes, () => {
      if (ending === "reset") socket.resetAndDestroy();
      if (ending === "end") socket.end();
    });
  });
}

/** Most requests are answered within a few; those that are not whole never. */
const ANSWER_PATIENCE_MS = 25;

export interface Fuzzing {
  readonly port: number;
  readonly seed: number;
  readonly count: number;
  readonly whole: readonly string[];
  /** A request that is in order, sent again and again meanwhile: throws when it is not served. */
  readonly serve: () => Promise<void>;
}

/** Sends random requests, and lists the answers that no client should be sent, with the seed and the request that led to each. */
export async function fuzz({ port, seed, count, whole, serve }: Fuzzing): Promise<{ bad: string[]; served: number }> {
  const random = new Random(seed);
  const bad: string[] = [];
  let left = count;
  const sender = async () => {
    while (left-- > 0) {
      const bytes = rawRequest(random, `127.0.0.1:${port}`, whole);
      const fate = random.number();
      const answer = await sendRaw(port, bytes, fate < 0.8 ? "wait" : fate < 0.9 ? "reset" : "end");
      if (isBad(answer)) bad.push(`${JSON.stringify(bytes.toString("latin1").slice(0, 300))}: ${answer.slice(0, 500)}`);
    }
  };
  let served = 0;
  let isOver = false;
  const serving = (async () => {
    while (!isOver) {
      await serve();
      served += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  await Promise.all(Array.from({ length: CONCURRENCY }, sender));
  isOver = true;
  await serving;
  return { bad, served };
}

const CONCURRENCY = 50;

/** Says whether an answer tells of a server's own mistake, or has a stack. */
function isBad(answer: string): boolean {
  return (
    /^HTTP\/1\.1 5(?!01|02)/.test(answer) ||
    /^\s*at .+:\d+:\d+/m.test(answer) ||
    /node:internal|\/dist\/|\/src\//.test(answer)
  );
}
