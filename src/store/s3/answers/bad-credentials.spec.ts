import { afterEach, expect, it, vi } from "vitest";
import { credentialsRemedy } from "./bad-credentials.js";
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

it("says what to do about credentials that there are none of", () => {
  const nothing = "The S3 client has no credentials: set `credentials`, AWS_ACCESS_KEY_ID or a role.";
  expect(provider("Could not load credentials from any providers")).toBe(nothing);
  // No word of its own.
  expect(provider("SSOs, xaws login, MFAs")).toBe(nothing);
});

it("S9: a profile that gives none is named, as the SDK passes over it in silence", () => {
  vi.stubEnv("AWS_PROFILE", "batch");
  expect(provider("Could not load credentials from any providers")).toBe(
    'The S3 client has no credentials: set `credentials`, AWS_ACCESS_KEY_ID or a role. The profile "batch" gives none: check its keys, its `source_profile` or what its `credential_process` says.',
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
])("%s", (code, remedy) => {
  expect(credentialsRemedy(failed(code))).toContain(remedy);
});

it("what is not about credentials has no remedy here", () => {
  expect(credentialsRemedy(failed("AccessDenied"))).toBeUndefined();
});
