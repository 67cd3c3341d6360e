import { expect, it } from "vitest";
import { Clockwork } from "../../../test/protocol/clockwork.js";
import type { CredentialsState } from "./client/client-state.js";
import { type Asking, answerOfProvider, areOutdated, searchFor } from "./credentials.js";

const failure = (code: string, status: number | undefined = 403, message = "") => {
  return { status, code, message, isForeign: false, sent: true };
};

it.each([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidSecurity",
  "ExpiredCredentials",
  "InvalidToken",
  "InvalidClientTokenId",
  "InvalidAccessKeyId",
  "TokenExpired",
  "WebIdentityTokenExpiredException",
  "TokenRefreshRequired",
  "RequestExpired",
  "UnrecognizedClient",
  "UnrecognizedClientException",
  "AuthFailure",
  "SignatureDoesNotMatch",
  "Unauthorized",
])("%s says that credentials are outdated, with whatever status", (code) => {
  expect(areOutdated(failure(code, 403))).toBe(true);
  expect(areOutdated(failure(code, undefined))).toBe(true);
  expect(areOutdated({ ...failure(code), isForeign: true })).toBe(false);
});

it.each([
  "",
  "AccessDenied",
  "InvalidRequest",
  "AnExpiredToken",
  "NoAuthFailure",
  "NoUnauthorized",
  "UnauthorizedAccess",
  "AuthFailure.Other",
])("%j does not", (code) => {
  expect(areOutdated(failure(code))).toBe(false);
});

it.each([
  "The provided token has expired",
  "your credentials expired at noon",
  "Credential expired",
  "Expired token",
  "This is an EXPIRED, old credential",
  "Forbidden: Invalid signature",
  "Signature validation failed",
])('neither does "%s", unless the request was denied', (message) => {
  for (const status of [400, 401, 403]) expect(areOutdated(failure("AccessDenied", status, message))).toBe(true);
  for (const status of [404, 500, undefined]) {
    expect(areOutdated({ ...failure("AccessDenied", 404, message), status })).toBe(false);
  }
});

it.each([
  "Access Denied",
  "The token is fine. The page has expired",
  "The page expired. A token is fine",
  "expired tokenless",
  "signatures are not looked at",
])('"%s" speaks of something else', (message) => {
  expect(areOutdated(failure("AccessDenied", 403, message))).toBe(false);
});

it.each<[string, CredentialsState, ReturnType<typeof searchFor>]>([
  ["have never worked", {}, { times: 1, mayWait: false }],
  ["have never worked, while they are asked for", { asking: Promise.resolve() }, { times: 1, mayWait: false }],
  ["have worked, and were never asked for anew", { takenAtMs: 0 }, { times: 2, mayWait: true }],
  ["were asked for a second ago", { takenAtMs: 0, askedAtMs: 9_000 }, { times: 2, mayWait: true }],
  ["were asked for a moment ago", { takenAtMs: 0, askedAtMs: 9_001 }, { times: 1, mayWait: true }],
  ["were taken just when they were asked for", { takenAtMs: 9_500, askedAtMs: 9_500 }, { times: 1, mayWait: true }],
  ["were taken since then", { takenAtMs: 9_501, askedAtMs: 9_500 }, { times: 1, mayWait: false }],
  [
    "were taken since then, and are asked for",
    { takenAtMs: 9_501, askedAtMs: 9_500, asking: Promise.resolve() },
    { times: 2, mayWait: true },
  ],
])("others are looked for as long as that may help: credentials that %s", (_, state, search) => {
  expect(searchFor(state, 10_000)).toEqual(search);
});

/** A client whose provider comes to this, and the region before it. */
function providing(credentials: () => Promise<unknown>, region: () => Promise<unknown> = async () => "us-east-1") {
  const clockwork = new Clockwork();
  let asked = 0;
  const calls: (readonly unknown[])[] = [];
  const ask = (...given: readonly unknown[]) => {
    asked += 1;
    calls.push(given);
    return credentials();
  };
  const subject = { client: { config: { region, credentials: ask } }, effects: clockwork.effects, timeoutMs: 300 };
  const answer = (unbuilt?: unknown) => answerOfProvider(subject as unknown as Asking, unbuilt);
  return { clockwork, answer, asked: () => asked, calls };
}

it("what the provider rejects with is why a request could not be built, also where that is nothing", async () => {
  for (const cause of [new Error("vault said no"), "no vault", undefined]) {
    const { answer, clockwork } = providing(() => Promise.reject(cause));
    expect(await answer(cause)).toEqual({ failure: { cause } });
    expect(clockwork.pendingMs).toEqual([]);
  }
});

it("a provider that gives credentials may have failed a moment ago; one that is not asked as region or endpoint are the matter did not", async () => {
  const giving = providing(async () => ({ accessKeyId: "key" }));
  expect([await giving.answer(new Error("odd")), giving.asked()]).toEqual([{}, 1]);
  const denied = () => Promise.reject(new Error("denied"));
  const ofEndpoint = providing(denied);
  const error = Object.assign(new Error("no such place"), { name: "EndpointError" });
  expect([await ofEndpoint.answer(error), ofEndpoint.asked()]).toEqual([undefined, 0]);
  const ofRegion = providing(denied, denied);
  expect([await ofRegion.answer(new Error("Region is missing")), ofRegion.asked()]).toEqual([undefined, 0]);
});

it.each(["undefined", "null"])(
  "one that the SDK remembers to have given %s is asked past that, and no other one",
  async (nothing) => {
    const { answer, calls } = providing(async () => ({}));
    const words = `Cannot read properties of ${nothing} (reading 'expiration')`;
    await answer(new TypeError(words));
    await answer(new TypeError(`${words}: odd`));
    await answer(new TypeError(`Odd: ${words}`));
    await answer(new TypeError(words.replace(nothing, "this")));
    expect(calls).toEqual([[{ forceRefresh: true }], [], [], []]);
  },
);

it("a provider that does not answer is not waited for", async () => {
  const { answer, clockwork } = providing(() => new Promise(() => {}));
  const asking = answer();
  await clockwork.pass(300);
  expect(await asking).toBeUndefined();
});
