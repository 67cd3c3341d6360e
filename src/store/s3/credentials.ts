import type { S3Client } from "@aws-sdk/client-s3";
import type { StoreEffects } from "../object-store.js";
import { faultOfCredentials, wordsOf } from "./answers/bad-credentials.js";
import type { Failure } from "./answers/failure.js";
import { identityOf, type Transmission } from "./answers/transmission.js";
import type { CredentialsState } from "./client/client-state.js";

/**
 * What stores, the token service and sessions of S3 Express say of credentials that were right once: others may be at hand by
 * now, in a file that was rewritten, or from a function that was asked only once. RequestExpired is about the clock, or of
 * temporary credentials that are over: where there are no others, it stays a matter of the clock. A signature does not match where
 * the key has a new secret.
 */
const OUTDATED =
  /^(?:(?:Expired|Invalid)\w*(?:Token|Credential|AccessKeyId)\w*|\w*TokenExpired\w*|TokenRefreshRequired|RequestExpired|UnrecognizedClient\w*|InvalidSecurity|AuthFailure|SignatureDoesNotMatch|Unauthorized)$/;

/** Those that say AccessDenied, and the rest in words. */
const SAYS_EXPIRED = /\b(?:token|credentials?)\b[^.]*\bexpired\b|\bexpired\b[^.]*\b(?:token|credentials?)\b/i;
const SAYS_NO_MATCH = /\bsignature\b/i;

export function areOutdated({ status, code, message, isForeign }: Failure): boolean {
  if (isForeign) return false;
  const isDenied = status === 400 || status === 401 || status === 403;
  return OUTDATED.test(code) || (isDenied && (SAYS_EXPIRED.test(message) || SAYS_NO_MATCH.test(message)));
}

/** Many requests may find the same out at once, and a provider that has nothing new is not asked for each of them. */
const ASK_AGAIN_AFTER_MS = 1_000;

/**
 * A file is rewritten when the old credentials have ended already, and not in one step: who looks at the wrong moment finds the
 * old ones, none, or half of the new.
 */
const ASK_TIMES = 2;

export interface Asking {
  readonly client: S3Client;
  readonly effects: StoreEffects;
  readonly state: CredentialsState;
  readonly timeoutMs: number;
  /** Whether to wait a moment where the provider has just been asked in vain. */
  readonly mayWait: boolean;
  /** Those that the SDK remembers cannot sign: whichever can are others. */
  readonly areUnusable?: boolean | undefined;
}

/**
 * Says how often to look for others, and whether to wait a moment where that has just been done in vain. Those that have never worked are
 * wrong rather than ended; and where the store has taken them since they were looked for, it is the request that it does not take. A
 * request waits once.
 */
export function searchFor(state: CredentialsState, nowMs: number) {
  const { askedAtMs = Number.NEGATIVE_INFINITY, takenAtMs, asking } = state;
  if (takenAtMs === undefined) return { times: 1, mayWait: false };
  // What another request is asking may have been answered already.
  if (asking !== undefined || nowMs - askedAtMs >= ASK_AGAIN_AFTER_MS) return { times: ASK_TIMES, mayWait: true };
  return { times: 1, mayWait: takenAtMs <= askedAtMs };
}

/**
 * Asks the client's provider anew, past what the SDK has remembered; whether it has others than those that signed the request.
 * Where getting a session failed, there was no request to sign.
 */
export async function hasOtherCredentials(asking: Asking, { signedBy, sentAtMs }: Transmission): Promise<boolean> {
  const { state, effects, mayWait, areUnusable = false } = asking;
  // A secret does not show in what it signs: what left before there was a new one was signed with the old one.
  const hasOldSecret = () => sentAtMs !== undefined && sentAtMs < (state.newSecretAtMs ?? Number.NEGATIVE_INFINITY);
  const isOther = () =>
    state.identity !== undefined &&
    (areUnusable ? state.failure === undefined : state.identity !== signedBy || hasOldSecret());
  if (state.asking === undefined) {
    const { askedAtMs = Number.NEGATIVE_INFINITY } = state;
    // Another request has found it out while this one was on its way.
    if (sentAtMs !== undefined && sentAtMs < askedAtMs && isOther()) return true;
    const waitMs = askedAtMs + ASK_AGAIN_AFTER_MS - effects.monotonicMs();
    if (waitMs > 0 && (!mayWait || waitMs >= asking.timeoutMs)) return false;
    state.asking = askAfter(waitMs, asking).finally(() => {
      state.asking = undefined;
    });
  }
  const before = state.identity;
  const answered = await within(asking, state.asking);
  return answered && (signedBy === undefined && !areUnusable ? state.identity !== before : isOther());
}

async function askAfter(waitMs: number, asking: Asking): Promise<void> {
  const { effects, state } = asking;
  if (waitMs > 0) await new Promise<void>((resolve) => effects.setTimer(waitMs, resolve, { keepAlive: true }));
  state.askedAtMs = effects.monotonicMs();
  await ask(asking);
}

/** Asks the provider, and never rejects: that credentials cannot be had is less of an answer than what the store has said. */
async function ask({ client, state, effects }: Asking): Promise<void> {
  try {
    const provider = client.config.credentials as (options?: { forceRefresh: boolean }) => Promise<Credentials>;
    // What the SDK remembers, which is what it has signed with.
    const before = await provider().catch(() => undefined);
    const given = await provider({ forceRefresh: true });
    const { accessKeyId, sessionToken, secretAccessKey } = given;
    const fault = faultOfCredentials(given);
    if (fault !== undefined) throw new Error(fault);
    state.failure = undefined;
    state.identity = identityOf(accessKeyId, sessionToken);
    if (before?.secretAccessKey !== secretAccessKey) state.newSecretAtMs = effects.monotonicMs();
  } catch (cause) {
    state.failure = { cause };
  }
}

/** `failure`: what it has rejected with; without, it gives credentials. */
export interface ProviderAnswer {
  readonly failure?: { readonly cause: unknown };
}

/**
 * Tells what the client's provider of credentials comes to when it is asked once more. What it rejects with, the SDK throws as it is, like
 * everything else that keeps a request from being built. Region and endpoint come before it: where they are the matter, it has not been
 * asked. Undefined: it has not, or does not answer in time.
 */
export async function answerOfProvider(
  asking: Pick<Asking, "client" | "effects" | "timeoutMs">,
  unbuilt: unknown,
): Promise<ProviderAnswer | undefined> {
  if ((unbuilt as { readonly name?: unknown } | undefined)?.name === "EndpointError") return undefined;
  let answer: ProviderAnswer | undefined;
  const { config } = asking.client;
  const provider = config.credentials as (options?: { forceRefresh: boolean }) => Promise<unknown>;
  const ask = async () => {
    await (config.region as () => Promise<unknown>)();
    // The SDK remembers also that nothing was given, and stumbles over it each time.
    const given = GAVE_NOTHING.test(wordsOf(unbuilt)) ? provider({ forceRefresh: true }) : provider();
    answer = await given.then(
      () => ({}),
      (cause) => ({ failure: { cause } }),
    );
  };
  await within(
    asking,
    ask().catch(() => {}),
  );
  return answer;
}

const GAVE_NOTHING = /^Cannot read properties of (?:undefined|null) \(reading 'expiration'\)$/;

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

function within({ effects, timeoutMs }: Pick<Asking, "effects" | "timeoutMs">, work: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = effects.setTimer(timeoutMs, () => resolve(false), { keepAlive: true });
    void work.then(() => {
      cancel();
      resolve(true);
    });
  });
}
