import { createServer, type IncomingHttpHeaders, request as sendRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type S3Server, type S3ServerOptions, startS3Server } from "../../src/testing/index.js";

/** A request as it arrived: the method, the path and the query. */
export interface Arrived {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An error document of S3, in place of the store's answer. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message?: string;
  /** Whole, in place of an error document. */
  readonly document?: string;
}

export interface Gate {
  readonly server: S3Server;
  readonly endpoint: string;
  readonly arrived: Arrived[];
  /** Lists those that arrived, by method. */
  sent(method: string): Arrived[];
}

/** What a proxy makes of requests on their way to the store, and of statuses on their way back. */
export interface Passing {
  /** Names of headers that are left out. */
  readonly drops?: (request: Arrived) => readonly string[];
  readonly status?: (request: Arrived, status: number) => number;
  /** Says in place of what the store has answered. */
  readonly says?: (request: Arrived, status: number) => Refusal | undefined;
}

/** Starts the embedded server behind a gate that refuses what this function says, as bucket policies and other stores do. */
export async function startGate(
  refuse: (request: Arrived) => Refusal | undefined,
  options: S3ServerOptions = {},
  { drops = () => [], status: shown = (_, status) => status, says = () => undefined }: Passing = {},
): Promise<Gate> {
  const server = await startS3Server({ buckets: ["locks"], ...options });
  const target = new URL(server.endpoint);
  const arrived: Arrived[] = [];
  const gate = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", headers } = incoming;
      const url = new URL(incoming.url ?? "/", target);
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
      arrived.push(request);
      const answerWith = ({ status, code, message = code, document }: Refusal): void => {
        response.writeHead(status, { "content-type": "application/xml", "x-amz-request-id": "gate" });
        response.end(document ?? `<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
      };
      const refusal = refuse(request);
      if (refusal !== undefined) return answerWith(refusal);
      const { hostname, port } = target;
      const passed = { ...headers };
      for (const name of drops(request)) delete passed[name];
      const forwarded = sendRequest({ hostname, port, method, path: incoming.url, headers: passed }, (answer) => {
        const said = says(request, answer.statusCode ?? 502);
        if (said !== undefined) {
          answer.resume();
          return answerWith(said);
        }
        const status = shown(request, answer.statusCode ?? 502);
        response.writeHead(status, status === answer.statusCode ? answer.headers : { date: answer.headers.date });
        if (status !== answer.statusCode) {
          answer.resume();
          response.end();
        } else answer.pipe(response);
      });
      forwarded.on("error", () => response.destroy());
      forwarded.end(Buffer.concat(chunks));
    });
  });
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    gate.closeAllConnections();
    await new Promise((resolve) => gate.close(resolve));
    await server.close();
  });
  const endpoint = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`;
  return { server, endpoint, arrived, sent: (method) => arrived.filter((one) => one.method === method) };
}
