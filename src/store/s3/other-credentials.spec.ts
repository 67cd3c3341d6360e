import { expect, it } from "vitest";
import { Clockwork, settled } from "../../../test/protocol/clockwork.js";
import type { StoreEffects } from "../object-store.js";
import { identityOf } from "./answers/transmission.js";
import type { CredentialsState } from "./client/client-state.js";
import { type Asking, hasOtherCredentials } from "./credentials.js";

type Given = string | Error | Promise<never>;
type Sent = "one" | "two" | undefined;

/** A client whose provider gives these session tokens, one after the other, each with a secret; and remembers, as the SDK does. */
function asking(...tokens: readonly Given[]) {
  const clockwork = new Clockwork();
  const asked: object[] = [];
  const timers: unknown[] = [];
  const provider = { remembered: Promise.resolve({ secretAccessKey: "secret" }), secret: "secret", takesMs: 0 };
  const credentials = async (options?: object) => {
    if (options === undefined) return provider.remembered;
    const token = tokens[asked.length];
    asked.push(options);
    if (token instanceof Error) throw token;
    await clockwork.pass(provider.takesMs);
    const given = { accessKeyId: "key", secretAccessKey: provider.secret, sessionToken: await token };
    provider.remembered = Promise.resolve(given);
    return given;
  };
  const effects: StoreEffects = {
    ...clockwork.effects,
    setTimer: (delayMs, callback, options) => {
      timers.push(options);
      return clockwork.effects.setTimer(delayMs, callback, options);
    },
  };
  const state: CredentialsState = {};
  const subject = { client: { config: { credentials } }, effects, state, timeoutMs: 300 } as unknown as Asking;
  /** Whether there are others than those that a request was signed with, which left so long ago. */
  const hasOthers = (signedWith: Sent, agoMs = 50) => {
    const signedBy = signedWith === undefined ? {} : { signedBy: identityOf("key", signedWith) };
    return hasOtherCredentials(subject, { sentAtMs: clockwork.monotonicMs - agoMs, ...signedBy });
  };
  return { clockwork, asked, timers, state, subject, provider, hasOthers };
}

it("the provider is asked past what the SDK remembers, and what it says is compared", async () => {
  const { clockwork, asked, timers, hasOthers } = asking("two", "two");
  expect(await hasOthers("one")).toBe(true);
  await clockwork.pass(1_000);
  expect(await hasOthers("two")).toBe(false);
  expect(asked).toEqual([{ forceRefresh: true }, { forceRefresh: true }]);
  // A process whose last work this is lives until it is done, and no longer.
  expect(timers).toEqual([{ keepAlive: true }, { keepAlive: true }]);
  expect(clockwork.pendingMs).toEqual([]);
});

it("another secret of the same key and session is news to what left before it was there, and to nothing else", async () => {
  const { clockwork, asked, provider, hasOthers } = asking("one", "one", "one");
  Object.assign(provider, { secret: "another", takesMs: 40 });
  const both = Promise.all([hasOthers("one"), hasOthers("one", -30)]);
  expect(await both).toEqual([true, true]);
  expect(asked).toHaveLength(1);
  // Sent at the moment at which it was there, or later.
  expect(await hasOthers("one", 0)).toBe(false);
  await clockwork.pass(10);
  expect(await hasOthers("one", 10)).toBe(false);
  expect(await hasOthers("one", 11)).toBe(false);
  expect(await hasOthers("one", 51)).toBe(true);
  await clockwork.pass(1_000);
  expect(await hasOthers("one", 5)).toBe(false);
  expect(asked).toHaveLength(2);
});

it("where the SDK remembers none, the secret is another one", async () => {
  const { provider, hasOthers } = asking("one");
  const failing = Promise.reject<{ secretAccessKey: string }>(new Error("no network"));
  failing.catch(() => {});
  provider.remembered = failing;
  expect(await hasOthers("one")).toBe(true);
});

it("a request without a time is not told of another secret", async () => {
  const { subject, provider } = asking("one");
  provider.secret = "another";
  expect(await hasOtherCredentials(subject, { signedBy: identityOf("key", "one") })).toBe(false);
});

it("where there was no session to sign with, others are those that were not there before", async () => {
  const { clockwork, hasOthers } = asking("one", "one", "two");
  const seen: boolean[] = [];
  for (let tries = 0; tries < 3; tries += 1) {
    seen.push(await hasOthers(undefined));
    await clockwork.pass(1_000);
  }
  expect(seen).toEqual([true, false, true]);
});

it("requests that find it out at once ask once", async () => {
  const { asked, hasOthers } = asking("two");
  expect(await Promise.all([hasOthers("one"), hasOthers("one"), hasOthers("two")])).toEqual([true, true, false]);
  expect(asked).toHaveLength(1);
});

it("what was found out while a request was on its way need not be asked again", async () => {
  const { clockwork, asked, hasOthers } = asking("two", "two", "two");
  expect(await hasOthers("one")).toBe(true);
  await clockwork.pass(20);
  expect(await hasOthers("one", 21)).toBe(true);
  expect(await hasOthers("two", 21)).toBe(false);
  expect(await hasOthers("one", 19)).toBe(false);
  await clockwork.pass(5_000);
  expect(await hasOthers("one", 5_021)).toBe(true);
  expect(asked).toHaveLength(1);
  // It left with old ones after new ones were there: the next one has to ask.
  expect(await hasOthers("one", 5_019)).toBe(true);
  expect(asked).toHaveLength(2);
});

it("a request without a time, as one that never left, waits for an answer", async () => {
  const { subject, state, asked } = asking("two");
  Object.assign(state, { identity: identityOf("key", "two"), askedAtMs: 1 });
  expect(await hasOtherCredentials(subject, { signedBy: identityOf("key", "one") })).toBe(true);
  expect(asked).toHaveLength(1);
});

it("a provider that has nothing new is left alone for a second", async () => {
  const { clockwork, asked, hasOthers } = asking("one", "two");
  expect(await hasOthers("one")).toBe(false);
  await clockwork.pass(999);
  expect(await hasOthers("one")).toBe(false);
  expect(asked).toHaveLength(1);
  await clockwork.pass(1);
  expect(await hasOthers("one")).toBe(true);
});

it("a request that may wait is told what the provider has a second after it was asked in vain", async () => {
  const { clockwork, asked, timers, state, subject, hasOthers } = asking("one", "two");
  expect(await hasOthers("one")).toBe(false);
  await clockwork.pass(800);
  Object.assign(subject, { mayWait: true });
  timers.length = 0;
  const others = hasOthers("one");
  await clockwork.pass(199);
  expect(asked).toHaveLength(1);
  await clockwork.pass(1);
  expect(await others).toBe(true);
  expect(timers).toEqual([{ keepAlive: true }, { keepAlive: true }]);
  expect(state.askedAtMs).toBe(clockwork.monotonicMs);
});

it("a request whose time ends before that does not wait", async () => {
  const { clockwork, asked, subject, hasOthers } = asking("one", "two", "three");
  expect(await hasOthers("one")).toBe(false);
  Object.assign(subject, { mayWait: true });
  await clockwork.pass(700);
  expect(await hasOthers("one")).toBe(false);
  await clockwork.pass(1);
  const others = hasOthers("one");
  await clockwork.pass(299);
  expect(await others).toBe(true);
  expect(asked).toHaveLength(2);
});

it("a request that finds the provider being asked waits for the same answer, and the next one asks anew", async () => {
  const { clockwork, asked, provider, state, hasOthers } = asking("two", "two");
  provider.takesMs = 100;
  const first = hasOthers("one");
  await clockwork.pass(50);
  expect(state.asking).toBeDefined();
  const second = hasOthers("one");
  await clockwork.pass(50);
  expect(await Promise.all([first, second])).toEqual([true, true]);
  expect(state.asking).toBeUndefined();
  expect(asked).toHaveLength(1);
});

it("of credentials that cannot sign, those that can are others, also of the same key", async () => {
  const { clockwork, state, subject, provider, hasOthers } = asking("one", "one", "one", "one");
  Object.assign(subject, { areUnusable: true });
  provider.secret = "";
  expect(await hasOthers("one")).toBe(false);
  expect(state.failure).toEqual({
    cause: new Error("it gave credentials without `accessKeyId` or without `secretAccessKey`"),
  });
  await clockwork.pass(1_000);
  provider.secret = "secret";
  expect(await hasOthers("one")).toBe(true);
  await clockwork.pass(1_000);
  expect(await hasOthers(undefined)).toBe(true);
  await clockwork.pass(1_000);
  provider.secret = "";
  expect(await hasOthers("one")).toBe(false);
});

it("the same credentials once more are not others where they can sign", async () => {
  const { subject, hasOthers } = asking("one");
  Object.assign(subject, { areUnusable: false });
  expect(await hasOthers("one")).toBe(false);
});

it("a provider that fails has no others, and is asked again later", async () => {
  const { clockwork, hasOthers, state } = asking(new Error("no network"), "two");
  expect(await hasOthers("one")).toBe(false);
  expect(state.failure).toEqual({ cause: new Error("no network") });
  await clockwork.pass(1_000);
  expect(await hasOthers("one")).toBe(true);
  expect(state.failure).toBeUndefined();
});

it("a provider that does not answer in time has no others, and is not asked beside that", async () => {
  const { clockwork, asked, state, hasOthers } = asking(new Promise<never>(() => {}));
  // Those that it gave last may be older than the ones that the request was signed with.
  state.identity = identityOf("key", "two");
  const answers: boolean[] = [];
  const note = (answer: boolean) => void answers.push(answer);
  void hasOthers("one").then(note);
  await clockwork.pass(299);
  expect(answers).toEqual([]);
  await clockwork.pass(1);
  expect(answers).toEqual([false]);
  await clockwork.pass(5_000);
  void hasOthers("one").then(note);
  await clockwork.pass(300);
  expect(answers).toEqual([false, false]);
  expect(asked).toHaveLength(1);
});

it("what a provider says too late is known to the next request", async () => {
  let answer = (_: string) => {};
  const late = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const { clockwork, hasOthers } = asking(late as Promise<never>);
  const first = hasOthers("one");
  await clockwork.pass(300);
  expect(await first).toBe(false);
  answer("two");
  await settled();
  expect(await hasOthers("one", 400)).toBe(true);
});
