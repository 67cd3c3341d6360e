import type { S3Client } from "@aws-sdk/client-s3";
import { HeadBucketCommand } from "@aws-sdk/client-s3";
import type { RequestOptions } from "../../src/store/object-store.js";
import type { Operation } from "../../src/store/s3/answers/operation.js";
import { stateOf } from "../../src/store/s3/client/client-state.js";
import { Sender } from "../../src/store/s3/sender.js";
import { Clockwork } from "../protocol/clockwork.js";
import type { Answered } from "./handler.js";

export const OPTIONS = { timeoutMs: 5_000 };
export const DONE: Answered = { statusCode: 200, headers: { date: "Sat, 28 Nov 2026 12:00:00 GMT" } };

/** Asks for the head of a bucket; of errors it expects 404. */
export const looking = (client: S3Client, bucket = "locks"): Operation<string, object> => ({
  request: { action: "s3:ListBucket", bucket, isHead: true },
  start: () => {
    const command = new HeadBucketCommand({ Bucket: bucket });
    return {
      command,
      work: async (signal) => {
        await client.send(command, { abortSignal: signal });
        return "value";
      },
    };
  },
  onSuccess: (value, timing, { status }) => ({ kind: "seen", value, timing, status }),
  onStatus: (status, { code }, timing) => (status === 404 ? { kind: "missing", code, timing } : undefined),
});

/** Makes a sender over this client, whose clock the spec moves. */
export function sending(client: S3Client, maxInFlight = 40) {
  const clockwork = new Clockwork();
  const state = stateOf(client, maxInFlight);
  const sender = new Sender(client, state, clockwork.effects);
  const send = (options: RequestOptions = OPTIONS, bucket?: string) => sender.send(looking(client, bucket), options);
  return { clockwork, state, sender, send };
}
