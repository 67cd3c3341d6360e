import type { RequestOptions, StoreEffects } from "../store/object-store.js";
import { type BodyBytes, readBytes } from "../store/s3/answers/body.js";
import {
  type AnswerHeaders,
  MAX_TEXT_BYTES,
  PREPARE_TIMEOUT_MS,
  type Transmission,
  TransmissionRefused,
} from "../store/s3/answers/transmission.js";
import { OutOfTime, TimeBound } from "../store/time-bound.js";

export type Method = "GET" | "PUT" | "DELETE";

/** A request as it goes out. */
export interface SignedRequest {
  readonly url: URL;
  readonly method: Method;
  readonly headers: Headers;
  readonly body: string | undefined;
}

/** What was seen of one transmission: a success with its body, or what went wrong. */
export interface Transmitted {
  readonly transmission: Transmission;
  /** Of a success. */
  readonly body?: BodyBytes;
  /** Of everything else. */
  readonly error?: Error;
}

/** Sends what `prepare` makes, once: no retries, no redirects that are followed, and an end after `timeoutMs`. */
export async function transmit(
  prepare: () => Promise<SignedRequest>,
  options: RequestOptions,
  effects: StoreEffects,
  maxBodyBytes = MAX_TEXT_BYTES,
): Promise<Transmitted> {
  let transmission: Transmission = {};
  const { giveUpAtMs = Number.POSITIVE_INFINITY, timeoutMs } = options;
  const time = new TimeBound(effects);
  const leftMs = Math.max(0, giveUpAtMs - effects.monotonicMs());
  time.set(Math.min(PREPARE_TIMEOUT_MS, leftMs), "The request could not be prepared");
  try {
    return await time.run(async (signal) => {
      const { url, method, headers, body = null } = await prepare();
      if (time.isOver || effects.monotonicMs() >= giveUpAtMs) {
        throw new TransmissionRefused("The time for this request was up before it was sent");
      }
      transmission = { sentAtMs: effects.monotonicMs() };
      time.set(timeoutMs, "No complete answer");
      const response = await fetch(url, { method, headers, body, redirect: "manual", signal });
      const { status } = response;
      transmission = { ...transmission, receivedAtMs: effects.monotonicMs(), status, headers: headersOf(response) };
      const read = await readBytes(response.body, undefined, response.ok ? maxBodyBytes : MAX_TEXT_BYTES, signal);
      transmission = { ...transmission, text: read.kind === "bytes" ? read.bytes.toString("utf8") : "" };
      return response.ok ? { transmission, body: read } : { transmission, error: new Error(`HTTP ${status}`) };
    });
  } catch (error) {
    return { transmission, error: transmission.sentAtMs === undefined ? (error as Error) : ofNetwork(error) };
  }
}

/**
 * Finds the network's own error: `fetch` hides what Node or the runtime says of a connection behind a TypeError; without a code, an answer
 * would count as whole.
 */
function ofNetwork(error: unknown): Error {
  if (error instanceof OutOfTime) return error;
  const cause = (error as { cause?: unknown }).cause ?? error;
  const said = cause as { readonly code?: unknown };
  if (typeof said.code === "string") return cause as Error;
  const message = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(message, { cause: error }), { code: "ERR_NETWORK" });
}

/** Gives the headers but `content-encoding`: `fetch` has undone any compression already. */
function headersOf({ headers }: Response): AnswerHeaders {
  const { "content-encoding": _undone, ...others } = Object.fromEntries(headers);
  return others;
}
