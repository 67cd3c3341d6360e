import { S3MutexError } from "../../src/errors.js";
import type { RefusedOutcome, UnknownOutcome } from "../../src/store/object-store.js";
import type { ProbeDeps } from "../../src/store/s3/learnt/probe-object.js";
import { Clockwork } from "../protocol/clockwork.js";
import { OPTIONS } from "./stub.js";

export const TIMING = { sentAtMs: 1, receivedAtMs: 2 };
export const UNKNOWN: UnknownOutcome = {
  kind: "unknown",
  error: new S3MutexError("store-unavailable", "no answer"),
  throttled: false,
  sent: true,
};
export const THROTTLED: UnknownOutcome = { ...UNKNOWN, throttled: true };
export const REFUSED: RefusedOutcome = { kind: "refused", error: new S3MutexError("access-denied", "denied") };
export const UNSAFE: RefusedOutcome = { kind: "refused", error: new S3MutexError("store-unsafe", "cannot") };
export const CONFLICT = { kind: "conflict", timing: TIMING } as const;
export const ABSENT = { kind: "absent", timing: TIMING } as const;
export const done = (etag = '"1"') => ({ kind: "ok", etag, timing: TIMING }) as const;
export const bare404 = (looks: string) =>
  ({ kind: "bare-404", looks, outcome: { ...UNKNOWN, timing: TIMING } }) as const;
/** A read that shows the body that was written last, under this ETag. */
export const shows = (etag = '"1"') => ({ shows: etag });
/** A read of it whose answer is without an ETag. */
export const SHOWN_BARE = { showsBare: true };

/** A conflict with a write that was done all the same, as when it was sent twice on the way: a read shows it under this ETag. */
export const landed = (etag = '"1"') => ({ ...CONFLICT, landed: etag });
/** A conflict after which a read shows this, as it depends on the body that was written. */
export const thenShown = (afterwards: (body: string | undefined) => object) => ({ ...CONFLICT, afterwards });

type Answer = object;

/**
 * Makes requests to a store that answers as the test says, one after the other; `log` has what was asked, without the reads that follow a
 * write's conflict.
 */
export function answering(...answers: readonly Answer[]) {
  const pending = [...answers];
  const log: string[] = [];
  const bodies: string[] = [];
  const keys = new Set<string>();
  const clockwork = new Clockwork();
  const ids = { next: 1 };
  /** What a read after a conflict shows. */
  let afterConflict: object | undefined;
  const next = async (asked: string, key: string) => {
    log.push(asked);
    keys.add(key);
    const answer = pending.shift();
    if (answer === undefined) throw new Error(`not expected: ${log.join(", ")}`);
    if ("showsBare" in answer) return { kind: "no-etag", body: bodies.at(-1), outcome: UNKNOWN };
    return "shows" in answer ? found(answer.shows) : answer;
  };
  const found = (etag: unknown) => ({ kind: "ok", etag, body: bodies.at(-1), timing: TIMING });
  const noted = (answer: object) => {
    if ("landed" in answer) afterConflict = found(answer.landed);
    else if ("afterwards" in answer) afterConflict = (answer as ReturnType<typeof thenShown>).afterwards(bodies.at(-1));
    else if (answer === CONFLICT) afterConflict = ABSENT;
    return answer;
  };
  const read = async (key: string) => {
    const shown = afterConflict;
    afterConflict = undefined;
    return shown ?? (await next("read", key));
  };
  const requests = {
    put: async (key: string, body: string, { IfMatch, IfNoneMatch }: { IfMatch?: string; IfNoneMatch?: string }) => {
      bodies.push(body);
      return noted(await next(IfMatch === undefined ? `create ${IfNoneMatch}` : `replace ${IfMatch}`, key));
    },
    get: read,
    delete: (key: string, ifMatch: string | undefined) => next(`delete ${ifMatch ?? "anyway"}`, key),
  };
  const effects = { ...clockwork.effects, newId: () => `id${ids.next++}` };
  const deps = { requests, effects, keyPrefix: "locks/" } as unknown as ProbeDeps;
  return { deps, log, keys, bodies, clockwork, options: OPTIONS, isSpent: () => pending.length === 0 };
}
