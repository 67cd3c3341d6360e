import type { RequestOptions, StoreEffects } from "../store/object-store.js";
import { type BodyBytes, readBytes } from "../store/s3/answers/body.js";
import {
  type AnswerHeaders,
  type Attempt,
  AttemptRefused,
  AttemptTimeout,
} from "../store/s3/answers/single-attempt.js";

/** A request as it goes out. */
export interface SignedRequest {
  readonly url: URL;
  readonly method: "GET" | "PUT";
  readonly headers: Headers;
  readonly body: string | undefined;
}

/** What was seen of one transmission: a success with its body, or what went wrong. */
export interface Transmitted {
  readonly attempt: Attempt;
  /** Of a success. */
  readonly body?: BodyBytes;
  /** Of everything else. */
  readonly error?: Error;
}

/** Credentials and signature: mostly at hand, at worst a round trip or two. */
const PREPARE_TIMEOUT_MS = 30_000;

/** More than a page of the longest keys. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** Sends what `prepare` makes, once: no retries, no redirects that are followed, and an end after `timeoutMs`. */
export async function transmit(
  prepare: () => Promise<SignedRequest>,
  options: RequestOptions,
  effects: StoreEffects,
  maxBodyBytes = MAX_TEXT_BYTES,
): Promise<Transmitted> {
  let attempt: Attempt = {};
  const { giveUpAtMs = Number.POSITIVE_INFINITY, timeoutMs } = options;
  try {
    const leftMs = Math.max(0, giveUpAtMs - effects.monotonicMs());
    const request = await within(
      Math.min(PREPARE_TIMEOUT_MS, leftMs),
      effects,
      "The request could not be prepared",
      prepare,
    );
    if (effects.monotonicMs() >= giveUpAtMs) {
      throw new AttemptRefused("The time for this request was up before it was sent");
    }
    attempt = { sentAtMs: effects.monotonicMs() };
    return await within(timeoutMs, effects, "No complete answer", async (signal) => {
      const { method, headers, body = null } = request;
      const response = await fetch(request.url, { method, headers, body, redirect: "manual", signal });
      attempt = {
        ...attempt,
        receivedAtMs: effects.monotonicMs(),
        status: response.status,
        headers: headersOf(response),
      };
      const read = await readBytes(response.body, undefined, response.ok ? maxBodyBytes : MAX_TEXT_BYTES, signal);
      attempt = { ...attempt, text: read.kind === "bytes" ? read.bytes.toString("utf8") : "" };
      return response.ok ? { attempt, body: read } : { attempt, error: new Error(`HTTP ${response.status}`) };
    });
  } catch (error) {
    return { attempt, error: attempt.sentAtMs === undefined ? (error as Error) : ofNetwork(error) };
  }
}

/** Runs `work` for so long at most, whatever it makes of its signal. */
async function within<Value>(
  timeoutMs: number,
  effects: StoreEffects,
  what: string,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  let cancel = () => {};
  const expired = new Promise<never>((_, reject) => {
    const timeUp = () => {
      const error = new AttemptTimeout(`${what} within ${Math.round(timeoutMs)} ms`);
      reject(error);
      controller.abort(error);
    };
    cancel = effects.setTimer(timeoutMs, timeUp, { keepAlive: true });
  });
  const working = work(controller.signal);
  // Once the time is up no caller listens to the work any more; its late failure is not news.
  working.catch(() => {});
  try {
    return await Promise.race([working, expired]);
  } finally {
    cancel();
  }
}

/** `fetch` hides what Node or the runtime says of a connection behind a TypeError; without a code, an answer would count as whole. */
function ofNetwork(error: unknown): Error {
  if (error instanceof AttemptTimeout) return error;
  const cause = (error as { cause?: unknown }).cause ?? error;
  const said = cause as { readonly code?: unknown };
  if (typeof said.code === "string") return cause as Error;
  const message = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(message, { cause: error }), { code: "ERR_NETWORK" });
}

/** `fetch` has undone any compression already. */
function headersOf({ headers }: Response): AnswerHeaders {
  const { "content-encoding": _undone, ...others } = Object.fromEntries(headers);
  return others;
}
