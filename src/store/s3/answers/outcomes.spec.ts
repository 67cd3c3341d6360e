import { describe, expect, it } from "vitest";
import { OutOfTime } from "../../time-bound.js";
import { outcomeOfBadAnswer, outcomeOfFailure } from "./outcomes.js";
import type { Request } from "./request.js";
import { type Transmission, TransmissionRefused } from "./transmission.js";

const PUT: Request = { action: "s3:PutObject", bucket: "locks", key: "a", isConditional: true };
const CALM = { request: PUT, credentialsWorked: false, clockCorrected: false };
const TIMING = { sentAtMs: 1, receivedAtMs: 2 };

/** An answer with the document that S3 writes. */
const answer = (status: number, code: string, message = ""): Transmission => ({
  ...TIMING,
  status,
  headers: {},
  text: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});
/** One that S3 does not write. */
const page = (status: number, headers: Record<string, string> = {}): Transmission => ({
  ...TIMING,
  status,
  headers: { "content-type": "text/html", ...headers },
  text: "<html><body>Hello</body></html>",
});
const error = new Error("of the SDK");
const outcomeOf = (transmission: Transmission, context: Partial<typeof CALM> = {}, thrown: unknown = error) =>
  outcomeOfFailure(thrown, transmission, { ...CALM, ...context });

describe("an answer of S3", () => {
  it.each([
    [429, "Whatever"],
    [503, "Whatever"],
    [400, "SlowDown"],
    [400, "Throttling"],
    [400, "ThrottlingException"],
    [400, "RequestLimitExceeded"],
    [400, "TooManyRequests"],
  ])("%i %s asks for fewer requests", (status, code) => {
    expect(outcomeOf(answer(status, code))).toMatchObject({
      kind: "unknown",
      throttled: true,
      sent: true,
      timing: TIMING,
    });
  });

  it.each([
    [400, "KMS.ThrottlingException", ""],
    [400, "KMSThrottlingException", ""],
    [400, "KMS.LimitExceeded", ""],
    [400, "KMS.DependencyTimeoutException", ""],
    [400, "KMS.InternalException", ""],
    [400, "Anything", "You have exceeded the rate at which you may call KMS. Reduce your rate."],
  ])("%i %s %s is the key service's, and says so", (status, code, message) => {
    const outcome = outcomeOf(answer(status, code, message));
    expect(outcome).toMatchObject({ kind: "unknown", throttled: true, sent: true });
    expect(outcome.error.message).toMatch(/\. The key service \(KMS\).*an S3 Bucket Key saves most of its requests\.$/);
  });

  it("a code that only contains the key service's is another's", () => {
    expect(outcomeOf(answer(400, "NotKMS.Throttled"))).toMatchObject({ kind: "refused" });
  });
});

describe("a status of S3", () => {
  it.each([500, 502, 504, 408, 425, 299])("%i says nothing about what was done", (status) => {
    expect(outcomeOf(answer(status, "InternalError"))).toMatchObject({ kind: "unknown", throttled: false, sent: true });
  });

  it.each([499, 300])("%i is not among those", (status) => {
    expect(outcomeOf(answer(status, "Odd"))).toMatchObject({ kind: "refused", error: { code: "store-unsafe" } });
  });

  it("501 is a refusal, and 507 asks for space", () => {
    expect(outcomeOf(answer(501, "NotImplemented"))).toMatchObject({ kind: "refused" });
    const full = outcomeOf(answer(507, "XMinioStorageFull"));
    expect(full).toMatchObject({ kind: "unknown", sent: true });
    expect(full.error.message).toContain("The store has no space left: free some; a renewal is a write too.");
  });

  it.each(["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"])(
    "%s was not applied, and is about the clock",
    (code) => {
      const outcome = outcomeOf(answer(403, code));
      expect(outcome).toMatchObject({ kind: "unknown", throttled: false, sent: false });
      expect(outcome.error.message).toContain("The clock of this machine is off, or the store's own: set it right.");
    },
  );

  it.each([
    "RequestTimeout",
    "IncompleteBody",
    "BadDigest",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
  ])("%s came to harm on its way", (code) => {
    expect(outcomeOf(answer(400, code))).toMatchObject({ kind: "unknown", throttled: false, sent: true });
  });

  it.each([
    [403, "SignatureDoesNotMatch", "unknown"],
    [400, "Whatever", "unknown"],
    [404, "NoSuchBucket", "refused"],
  ])("%i %s after which the SDK has corrected its clock is %s", (status, code, kind) => {
    const outcome = outcomeOf(answer(status, code), { clockCorrected: true });
    expect(outcome.kind).toBe(kind);
    if (outcome.kind === "unknown") expect(outcome.sent).toBe(false);
    expect(outcomeOf(answer(403, "SignatureDoesNotMatch")).kind).toBe("refused");
  });

  it("a refusal names the request and the answer, tells what to do, and keeps the error as its cause", () => {
    const outcome = outcomeOf(answer(403, "AccessDenied", "Access Denied."));
    expect(outcome).toMatchObject({ kind: "refused", timing: TIMING, error: { code: "access-denied", cause: error } });
    expect(outcome).toMatchObject({ about: "permissions" });
    expect(outcome.error.message).toMatch(
      /^s3:PutObject on s3:\/\/locks\/a was refused \(403 AccessDenied: Access Denied\)\. Allow s3:PutObject on /,
    );
  });
});

describe("a refusal of S3", () => {
  it("says what it is about only where that is known", () => {
    expect(outcomeOf(answer(422, "Odd"))).not.toHaveProperty("about");
    expect(outcomeOf(answer(403, "InvalidAccessKeyId"))).toMatchObject({ about: "credentials" });
  });

  it("of a signature that the store has taken before asks for no other rights", () => {
    const remedy = (code: string, credentialsWorked: boolean) =>
      outcomeOf(answer(403, code), { credentialsWorked }).error.message.split("). ")[1];
    expect(remedy("SignatureDoesNotMatch", true)).toBe(
      "The store has taken other requests with these credentials: it signs this one differently, or the secret has changed. No policy helps.",
    );
    expect(remedy("SignatureDoesNotMatch", false)).toMatch(/^The secret does not fit the access key/);
    expect(remedy("AccessDenied", true)).toMatch(/^Allow s3:PutObject on /);
  });

  it.each([
    ["as an error of the store", answer(500, "InternalError", "File name too long")],
    ["from a proxy", page(414)],
  ])("for a key that is too long comes also %s", (_, transmission) => {
    expect(outcomeOf(transmission)).toMatchObject({ kind: "refused", error: { code: "invalid-argument" } });
  });
});

describe("an answer that S3 does not write", () => {
  it.each([
    [200, ""],
    [304, " This is not an answer of S3: nothing was asked that 304 could answer."],
    [
      302,
      " This is not an answer of S3: it leads elsewhere, such as to a login page. Check the endpoint, and what is between it and this process.",
    ],
    [
      300,
      " This is not an answer of S3: it leads elsewhere, such as to a login page. Check the endpoint, and what is between it and this process.",
    ],
    [
      400,
      " This is not an answer of S3: a proxy, an ingress or a portal on the way sent it, or there is no S3 at this endpoint.",
    ],
    [
      404,
      " This is not an answer of S3: a proxy, an ingress or a portal on the way sent it, or there is no S3 at this endpoint.",
    ],
    [
      407,
      " This is not an answer of S3: a proxy wants a login. Give it to the S3 client's request handler, or go past the proxy.",
    ],
    [451, " This is not an answer of S3: something on the way blocks it for legal reasons."],
    [500, ""],
    [501, ""],
  ])("%i is unknown, and told from S3's own", (status, hint) => {
    const outcome = outcomeOf(page(status));
    expect(outcome).toMatchObject({ kind: "unknown", throttled: false, sent: true, timing: TIMING });
    expect(outcome.error.message).toBe(`s3:PutObject on s3://locks/a: ${status} with text/html, "Hello".${hint}`);
  });

  it("is marked where it says more than that it is not S3's, and S3's own is not", () => {
    expect(outcomeOf(page(404))).toMatchObject({ isForeign: true });
    for (const transmission of [page(200), page(503), answer(507, "XMinioStorageFull"), answer(500, "InternalError")])
      expect(outcomeOf(transmission)).not.toHaveProperty("isForeign");
  });

  it("says where a redirect leads", () => {
    const outcome = outcomeOf(page(307, { location: "https://login.example/" }));
    expect(outcome.error.message).toContain("it leads to https://login.example/, such as to a login page.");
  });

  it("a HEAD is answered without a word by S3 itself", () => {
    const request = { ...PUT, action: "s3:GetObject", isHead: true };
    const transmission = { ...TIMING, status: 403, headers: {}, text: "" };
    expect(outcomeOf(transmission, { request })).toMatchObject({ kind: "refused", error: { code: "access-denied" } });
    expect(outcomeOf(transmission)).toMatchObject({ kind: "unknown" });
  });
});

describe("no answer", () => {
  const fails = (fields: object) => Object.assign(new Error("it failed"), fields);
  const sent: Transmission = { sentAtMs: 1 };

  it.each([
    ["after it was sent", sent, fails({ name: "Anything" }), true],
    ["when no server listens", sent, fails({ code: "ECONNREFUSED" }), false],
    ["before it was sent, by Node", {}, fails({ code: "EAI_AGAIN" }), false],
    ["before it was sent, by TLS", {}, fails({ code: "ERR_TLS_2_X" }), false],
    ["in time", sent, new OutOfTime("late"), true],
    ["in time, before it was sent", {}, new OutOfTime("late"), false],
    ["because it was not to be sent again", {}, new TransmissionRefused("twice"), false],
    ["in the SDK's time", {}, fails({ name: "TimeoutError" }), false],
    ["since it was aborted", {}, fails({ name: "AbortError" }), false],
  ])("%s says nothing", (_, transmission, thrown, isSent) => {
    const outcome = outcomeOf(transmission, {}, thrown);
    expect(outcome).toMatchObject({ kind: "unknown", throttled: false, sent: isSent, error: { cause: thrown } });
    expect(outcome).not.toHaveProperty("timing");
  });

  it("to its end: says after which status it broke off, and is marked so", () => {
    const status = { ...TIMING, status: 200, headers: {} };
    const cut = outcomeOf(status, {}, fails({ code: "ECONNRESET" }));
    expect(cut).toMatchObject({ kind: "unknown", sent: true, brokeOff: true });
    expect(cut.error.message).toBe(
      "s3:PutObject on s3://locks/a: the answer broke off after its 200: ECONNRESET: it failed.",
    );
    for (const other of [outcomeOf(sent, {}, fails({ code: "ECONNRESET" })), outcomeOf(status, {}, fails({}))]) {
      expect(other).not.toHaveProperty("brokeOff");
      expect(other.error.message).not.toContain("broke off");
    }
  });

  it("for want of credentials is a refusal, unless they have worked before", () => {
    const thrown = fails({ name: "CredentialsProviderError" });
    const refused = outcomeOf({}, {}, thrown);
    expect(refused).toMatchObject({ kind: "refused", error: { code: "access-denied" }, about: "credentials" });
    expect(refused.error.message).toContain("The S3 client has no credentials");
    const later = outcomeOf({}, { credentialsWorked: true }, thrown);
    expect(later).toMatchObject({ kind: "unknown", throttled: false, sent: false });
    expect(later.error.message).toBe("s3:PutObject on s3://locks/a: CredentialsProviderError: it failed.");
  });

  it("since credentials came without keys says so also where they have worked before", () => {
    const thrown = fails({ message: "Resolved credential object is not valid" });
    expect(outcomeOf({}, { credentialsWorked: true }, thrown)).toMatchObject({
      kind: "unknown",
      error: { message: expect.stringMatching(/is not valid\. \S.*`accessKeyId`/) },
    });
  });

  it.each([
    [429, "unknown", true],
    [500, "unknown", false],
    [503, "unknown", false],
    [499, "refused", undefined],
    [403, "refused", undefined],
  ])("from a service that credentials come from, which said %i, is %s", (httpStatusCode, kind, throttled) => {
    const outcome = outcomeOf({}, {}, fails({ name: "Odd", $metadata: { httpStatusCode } }));
    expect(outcome.kind).toBe(kind);
    if (outcome.kind === "unknown") expect(outcome).toMatchObject({ throttled, sent: false });
    else expect(outcome.error.message).toContain("Getting credentials or a session failed: check the role");
  });

  it("since a file of the credentials cannot be read is not a fault of the network", () => {
    const refused = outcomeOf({}, {}, fails({ code: "ENOENT", syscall: "open" }));
    expect(refused).toMatchObject({ kind: "refused", error: { code: "access-denied" } });
    expect(refused.error.message).toContain("A file of the credentials cannot be read");
  });

  it.each(["ERR_INVALID_URL", "Odd", "ODD-1", "eaddrinuse", "not-ONE", "E"])(
    "a request that could not be built (%s) is for the caller to mend",
    (name) => {
      const outcome = outcomeOf({}, {}, fails({ name }));
      expect(outcome).toMatchObject({ kind: "refused", error: { code: "invalid-argument" } });
      expect(outcome.error.message).toContain("The request could not be built: check region, endpoint and bucket name");
    },
  );
});

it("a success that does not say what is needed is unknown, as of a bucket where there is no key", () => {
  const { key: _, ...bucketOnly } = PUT;
  const outcome = outcomeOfBadAnswer(bucketOnly, "the answer has no ETag", { ...TIMING, status: 200, headers: {} });
  expect(outcome).toMatchObject({ kind: "unknown", throttled: false, sent: true, timing: TIMING });
  expect(outcome.error.message).toBe("s3:PutObject on s3://locks: the answer has no ETag");
  expect(outcome.error.code).toBe("store-unavailable");
  expect(outcome.error).not.toHaveProperty("cause");
  expect(outcomeOfBadAnswer(PUT, "x", {})).not.toHaveProperty("timing");
});

it("what a header cannot have is refused for good, as a request that was not sent", () => {
  const thrown = Object.assign(new Error('Invalid character in header content ["authorization"]'), {
    code: "ERR_INVALID_CHAR",
  });
  expect(outcomeOf({ sentAtMs: 1 }, { credentialsWorked: true }, thrown)).toMatchObject({
    kind: "refused",
    error: {
      code: "invalid-argument",
      message: expect.stringMatching(/^s3:PutObject on \S+ was not sent \(ERR_INVALID_CHAR/),
    },
  });
});
