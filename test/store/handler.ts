import { Readable } from "node:stream";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { CREDENTIALS } from "./stub.js";

/** A request as it would have left. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when no caller waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

export interface Answered {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | Readable;
}

/** Makes a client without sockets: its HTTP handler answers what the test says, or throws it. */
export function clientAnswering(
  answer: (request: Sent, count: number) => Answered | Promise<Answered>,
  config: S3ClientConfig = {},
) {
  const sent: Sent[] = [];
  const requestHandler = {
    metadata: { handlerProtocol: "test" },
    handle: async (request: Sent, { abortSignal: signal }: { readonly abortSignal?: AbortSignal } = {}) => {
      sent.push({ ...request, headers: { ...request.headers }, signal });
      const { statusCode, headers = {}, body = Buffer.alloc(0) } = await answer(request, sent.length);
      return { response: { statusCode, headers, body: Buffer.isBuffer(body) ? Readable.from([body]) : body } };
    },
  };
  const client = new S3Client({
    endpoint: "http://store.invalid",
    region: "us-east-1",
    forcePathStyle: true,
    credentials: CREDENTIALS,
    requestHandler,
    ...config,
  });
  return { client, sent };
}

/** By what S3 marks its answers. */
export const OF_S3 = { "x-amz-request-id": "1" };

/** Makes an answer of the error document of S3. */
export function refusing(statusCode: number, code: string, headers: Record<string, string> = {}): Answered {
  const body = Buffer.from(`<Error><Code>${code}</Code><Message>${code} it is</Message></Error>`);
  return { statusCode, headers: { "content-type": "application/xml", ...headers }, body };
}

/** Begins a request of a client that was given up already: before the first one its HTTP handler does not tell its agents. */
export async function beginRequest({ config }: S3Client): Promise<void> {
  const request = { protocol: "http:", hostname: "store.invalid", method: "GET", path: "/", headers: {} };
  await config.requestHandler.handle(request as never, { abortSignal: AbortSignal.abort() }).catch(() => {});
}
