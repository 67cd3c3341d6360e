import type { AnswerTiming, RefusedOutcome, RequestOptions, UnknownOutcome } from "../../object-store.js";
import type { Request } from "./request.js";
import type { Transmission } from "./transmission.js";

/** One kind of request: how to send it, and which of its answers mean what. */
export interface Operation<Value, Outcome> {
  readonly request: Request;
  /** Whether it reads the body of a success by itself. */
  readonly streams?: boolean;
  /** Makes the command and the work of one transmission: a command is used once. */
  start(): { readonly command: object; work(signal: AbortSignal): Promise<Value> };
  onSuccess(value: Value, timing: AnswerTiming, transmission: Transmission): Outcome;
  /** Answers that the SDK throws as errors, which this operation does not count as such. */
  onStatus(status: number, said: Said, timing: AnswerTiming): Outcome | undefined;
}

/** What came with a status that is not a success. */
export interface Said {
  /** S3's own code; undefined where the answer is not the error document of S3. */
  readonly code: string | undefined;
  readonly transmission: Transmission;
}

/** Sends operations, each once, and says `unknown` or `refused` where the operation itself has no name for the answer. */
export interface OperationSender {
  send<Value, Outcome>(
    operation: Operation<Value, Outcome>,
    options: RequestOptions,
  ): Promise<Outcome | UnknownOutcome | RefusedOutcome>;
}
