import { afterEach, describe, expect, it, vi } from "vitest";
import {
  areUnusable,
  credentialsRemedy,
  faultOfCredentials,
  headerRemedy,
  missingKeys,
  providerError,
} from "./bad-credentials.js";
import type { Failure } from "./failure.js";

afterEach(() => vi.unstubAllEnvs());

const failed = (code: string, message = ""): Failure => ({
  status: undefined,
  code,
  message,
  isForeign: false,
  sent: false,
});

const provider = (message: string) => credentialsRemedy(failed("CredentialsProviderError", message));

it("says what to do about missing credentials", () => {
  const nothing = "The S3 client has no credentials: set `credentials`, AWS_ACCESS_KEY_ID or a role.";
  expect(provider("Could not load credentials from any providers")).toBe(nothing);
  // No word of its own.
  expect(provider("SSOs, xaws login, MFAs")).toBe(nothing);
});

it("S9: a profile that gives none is named, as the SDK passes over it in silence", () => {
  vi.stubEnv("AWS_PROFILE", "batch");
  expect(provider("Could not load credentials from any providers")).toBe(
    'The S3 client has no credentials: set `credentials`, AWS_ACCESS_KEY_ID or a role. The profile "batch" gives none: check that there is one of that name, its keys, its `source_profile` or what its `credential_process` says.',
  );
  vi.stubEnv("AWS_PROFILE", "");
  expect(provider("")).toMatch(/or a role\.$/);
});

it.each([
  ["The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login"],
  ["The SSO session token associated with profile=dev was not found or is invalid."],
])("a login of SSO that is missing or over is renewed by one: %s", (message) => {
  vi.stubEnv("AWS_PROFILE", "other");
  const profile = message.includes("dev") ? "dev" : "other";
  expect(provider(message)).toBe(
    `Log in again (\`aws sso login --profile ${profile}\`), or give the S3 client other credentials.`,
  );
});

it.each(["TokenProviderError", "ProviderError"])("%s is about a login, whatever it says", (code) => {
  vi.stubEnv("AWS_PROFILE", "default");
  expect(credentialsRemedy(failed(code, "odd"))).toContain("Log in again (`aws sso login`)");
  vi.stubEnv("AWS_PROFILE", undefined);
  expect(credentialsRemedy(failed(code, "odd"))).toContain("Log in again (`aws sso login`)");
});

it.each(["Failed to load token from ~/.aws/login/cache/x.json", "run aws login", "C:\\aws\\login\\cache\\x"])(
  "a login of the console is renewed by its own command: %s",
  (message) => {
    vi.stubEnv("AWS_PROFILE", "me");
    expect(provider(message)).toContain("Log in again (`aws login --profile me`)");
  },
);

it.each([
  "Profile mfa requires multi-factor authentication, but no MFA code callback was provided",
  "multi-factor",
  "Multifactor",
  "MFA",
])("the user is not asked for a code: %s", (message) => {
  expect(provider(message)).toMatch(/^The profile wants a code for MFA, which is not asked for here/);
});

it("a file that cannot be read is the matter, whatever its error is called", () => {
  expect(credentialsRemedy({ ...failed("ENOENT"), unreadFile: true })).toMatch(
    /^A file of the credentials cannot be read/,
  );
  expect(credentialsRemedy(failed("ENOENT"))).toBeUndefined();
});

it.each([
  ["ExpiredToken", "have expired, and there are no others"],
  ["ExpiredTokenException", "have expired, and there are no others"],
  ["TokenRefreshRequired", "have expired, and there are no others"],
  ["ExpiredCredentials", "have expired, and there are no others"],
  ["InvalidToken", "The session token is not valid"],
  ["InvalidTokenId", "The session token is not valid"],
  ["InvalidAccessKeyId", "does not know this access key"],
  ["SignatureDoesNotMatch", "The secret does not fit the access key"],
  ["Unauthorized", "wants other credentials"],
  ["CredentialsFunctionError", "The credentials function of the S3 client failed: its own words say why."],
])("%s", (code, remedy) => {
  expect(credentialsRemedy(failed(code))).toContain(remedy);
});

it("credentials without keys are the matter where the SDK says so, and not where another one quotes it", () => {
  const words = "Resolved credential object is not valid";
  expect(credentialsRemedy(failed("Error", words))).toMatch(
    /^The credentials of the S3 client have no `accessKeyId` or no/,
  );
  expect(credentialsRemedy(failed("Error", `he said: ${words}`))).toBeUndefined();
});

it.each([
  ["authorization", "the credentials of the S3 client (`accessKeyId`) or in its region"],
  ["X-Amz-Security-Token", "the credentials of the S3 client (`sessionToken`)"],
  ["x-own", 'what is sent as the header "x-own"'],
])("what a header cannot have is named by where it comes from: %s", (header, where) => {
  const remedy = headerRemedy(failed("ERR_INVALID_CHAR", `Invalid character in header content ["${header}"]`));
  const said = `A line break, or another character that a header cannot have, is in ${where}: remove it, such as the one at the end of a file.`;
  expect(remedy).toBe(said);
  expect(headerRemedy(failed("ERR_INVALID_URL", `["${header}"]`))).toBeUndefined();
});

it("a header that is not named is told without", () => {
  expect(headerRemedy(failed("ERR_INVALID_CHAR", "Invalid character"))).toContain(
    "is in a header of the request: remove",
  );
});

it("what is not about credentials has no remedy here", () => {
  expect(credentialsRemedy(failed("AccessDenied"))).toBeUndefined();
});

describe("what a credentials function has thrown", () => {
  /** What the error says of it besides its words. */
  const told = (cause: unknown) => {
    const { name, code, $metadata } = providerError(cause) as unknown as Record<string, unknown>;
    return { name, code, $metadata };
  };
  const nothing = { name: "CredentialsFunctionError", code: undefined, $metadata: undefined };
  const within = (cause: object, levels: number): object => (levels === 0 ? cause : within({ cause }, levels - 1));
  const refused = { code: "ECONNREFUSED" };

  it.each<[unknown, string]>([
    [new Error("vault said no"), "vault said no"],
    ["no vault", "no vault"],
    [{ message: "odd" }, "it threw no Error"],
    [undefined, "it threw no Error"],
    [null, "it threw no Error"],
  ])("is the cause, in its own words: %s", (cause, words) => {
    const error = providerError(cause);
    expect(error.message).toBe(`the credentials could not be had: ${words}`);
    expect(error.cause).toBe(cause);
    expect(told(cause)).toEqual(nothing);
  });

  it.each<[string, object, object]>([
    ["a status", { status: 503 }, { $metadata: { httpStatusCode: 503 } }],
    ["a status by its other name", { statusCode: 429 }, { $metadata: { httpStatusCode: 429 } }],
    ["the status before its other name", { status: 500, statusCode: 403 }, { $metadata: { httpStatusCode: 500 } }],
    ["a connection", { code: "ECONNRESET" }, { code: "ECONNRESET" }],
    ["too late an answer", { name: "TimeoutError" }, { name: "TimeoutError" }],
    ["what was called off", { name: "AbortError" }, { name: "AbortError" }],
    ["a fetch that does not say why", new TypeError("fetch failed"), { code: "UND_ERR" }],
    ["a fetch that does", new TypeError("fetch failed", { cause: refused }), refused],
    ["the cause of a cause", within(refused, 2), refused],
    ["the deepest that is looked at", within(refused, 4), refused],
  ])("is told with what says whether it may recover: %s", (_, cause, more) => {
    expect(told(cause)).toEqual({ ...nothing, ...more });
  });

  it.each<[string, object]>([
    ["a status in words", { status: "503" }],
    ["a code that only ends like one", { code: "NOT_ECONNRESET" }],
    ["codes in a list", { code: ["ECONNRESET"] }],
    ["another name", { name: "Timeout" }],
    ["another TypeError", new TypeError("x is not a function")],
    ["another error of a fetch", new Error("fetch failed")],
    ["what is deeper", within(refused, 5)],
  ])("is not taken for what may recover: %s", (_, cause) => {
    expect(told(cause)).toEqual(nothing);
  });

  it("may be its own cause", () => {
    const cause: { cause?: unknown } = {};
    cause.cause = cause;
    expect(told(cause)).toEqual(nothing);
  });
});

it.each([
  ["authorization", true],
  ["X-Amz-Security-Token", true],
  ["x-own", false],
])("what cannot be a header is a matter of credentials in %s: %s", (header, is) => {
  const failure = failed("ERR_INVALID_CHAR", `Invalid character in header content ["${header}"]`);
  expect(areUnusable(failure)).toBe(is);
  expect(areUnusable({ ...failure, status: 400 })).toBe(false);
});

it("a header is the matter only where the client says so, and keys only where they are missing", () => {
  expect(areUnusable(failed("ERR_INVALID_URL", '["authorization"]'))).toBe(false);
  const words = "Resolved credential object is not valid";
  expect(missingKeys(failed("Error", words))).toMatch(/^The credentials of the S3 client have no `accessKeyId`/);
  expect(missingKeys(failed("Error", "odd"))).toBeUndefined();
});

const KEYS = { accessKeyId: "key", secretAccessKey: "secret" };
const WITHOUT = "it gave credentials without `accessKeyId` or without `secretAccessKey`";

it.each([
  [KEYS, undefined],
  [{ ...KEYS, secretAccessKey: "any\n", sessionToken: "\u00fc \t~" }, undefined],
  [{}, WITHOUT],
  [{ accessKeyId: "key" }, WITHOUT],
  [{ ...KEYS, accessKeyId: "" }, WITHOUT],
  [{ ...KEYS, secretAccessKey: 1 }, WITHOUT],
  [{ ...KEYS, accessKeyId: "key\n" }, expect.stringMatching(/a line break.* in `accessKeyId`$/)],
  [{ ...KEYS, sessionToken: "\u20ac" }, expect.stringMatching(/in `sessionToken`$/)],
])("of %j is said: %s", (given, fault) => {
  expect(faultOfCredentials(given)).toEqual(fault);
});
