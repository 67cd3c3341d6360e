// biome-ignore lint/style/noRestrictedImports: as the SDK chooses its profile; the remedy names it.
import { env } from "node:process";
import type { Failure } from "./failure.js";

const EXPIRED =
  "The credentials of the S3 client have expired, and there are no others: log in again, or give it a credential provider that renews them.";

const TOKEN = "The session token is not valid: check `sessionToken` and that it belongs to this access key.";

/** What the store, or who gives out credentials, says of them: by its code. */
const BY_CODE: ReadonlyMap<string, string> = new Map([
  ["ExpiredToken", EXPIRED],
  ["ExpiredTokenException", EXPIRED],
  ["TokenRefreshRequired", EXPIRED],
  ["ExpiredCredentials", EXPIRED],
  ["InvalidToken", TOKEN],
  ["InvalidTokenId", TOKEN],
  ["InvalidAccessKeyId", "The store does not know this access key: check `accessKeyId` and the endpoint."],
  ["SignatureDoesNotMatch", "The secret does not fit the access key: check `secretAccessKey`, region and endpoint."],
  ["CredentialsFunctionError", "The credentials function of the S3 client failed: its own words say why."],
  ["Unauthorized", "The store wants other credentials: check those of the S3 client."],
]);

/** Of the providers of credentials in this process, whose errors all have one of these names. */
const OF_PROVIDERS: ReadonlySet<string> = new Set(["CredentialsProviderError", "TokenProviderError", "ProviderError"]);

/** Said by the SDK before it signs, of variables that are not set for one: something was given, and no keys were in it. */
const INCOMPLETE = /^Resolved credential object is not valid/;
const NO_KEYS =
  "The credentials of the S3 client have no `accessKeyId` or no `secretAccessKey`: check that the variables, or the function, that they come from give both as text.";

/** Says whether these cannot sign, or not be sent: asked again, their source may have better ones, and the SDK does not ask by itself. */
export function areUnusable(failure: Failure): boolean {
  if (failure.status !== undefined) return false;
  return INCOMPLETE.test(failure.message) || SOURCES.has(badHeader(failure)?.toLowerCase() ?? "");
}

/** Says what is missing, where credentials have no keys. */
export function missingKeys({ message }: Failure): string | undefined {
  return INCOMPLETE.test(message) ? NO_KEYS : undefined;
}

/** Says why these are not usable; undefined where they are. */
export function faultOfCredentials(given: {
  readonly accessKeyId?: unknown;
  readonly secretAccessKey?: unknown;
  readonly sessionToken?: unknown;
}): string | undefined {
  const { accessKeyId, secretAccessKey, sessionToken } = given;
  const isText = (value: unknown) => typeof value === "string" && value !== "";
  if (!isText(accessKeyId) || !isText(secretAccessKey)) {
    return "it gave credentials without `accessKeyId` or without `secretAccessKey`";
  }
  const name = [accessKeyId, sessionToken].findIndex((text) => typeof text === "string" && NO_HEADER.test(text));
  return name === -1
    ? undefined
    : `it gave a line break, or another character that a header cannot have, in \`${["accessKeyId", "sessionToken"][name]}\``;
}

const NO_HEADER = /[^\t -~\u0080-\u00ff]/;

/**
 * Says how to mend what no header can have, which Node and `fetch` say before anything leaves: it is the same however often it is tried.
 * Undefined where that is not the matter.
 */
export function headerRemedy(failure: Failure): string | undefined {
  if (failure.code !== "ERR_INVALID_CHAR") return undefined;
  const header = badHeader(failure);
  const named =
    header === undefined ? "a header of the request" : `what is sent as the header ${JSON.stringify(header)}`;
  const where = SOURCES.get(header?.toLowerCase() ?? "") ?? named;
  return `A line break, or another character that a header cannot have, is in ${where}: remove it, such as the one at the end of a file.`;
}

function badHeader({ code, message }: Failure): string | undefined {
  return code === "ERR_INVALID_CHAR" ? /\["([^"]*)"\]/.exec(message)?.[1] : undefined;
}

const SOURCES: ReadonlyMap<string, string> = new Map([
  ["authorization", "the credentials of the S3 client (`accessKeyId`) or in its region"],
  ["x-amz-security-token", "the credentials of the S3 client (`sessionToken`)"],
]);

/** Says what to do where credentials are the matter; undefined where something else is. */
export function credentialsRemedy({ code, message, unreadFile }: Failure): string | undefined {
  if (unreadFile) return "A file of the credentials cannot be read: check the profile and the variables that name it.";
  if (INCOMPLETE.test(message)) return NO_KEYS;
  return OF_PROVIDERS.has(code) ? providersRemedy(code, message) : BY_CODE.get(code);
}

/** Says what to do by which way to credentials has ended: the SDK says that in words only, and each is mended in its own way. */
function providersRemedy(code: string, message: string): string {
  if (/\bmulti-?factor\b|\bMFA\b/i.test(message)) {
    return "The profile wants a code for MFA, which is not asked for here: use credentials of a session that was begun with one.";
  }
  if (/\baws login\b|[\\/]login[\\/]cache\b/.test(message)) return loginBy("aws login", message);
  if (code !== "CredentialsProviderError" || /\bSSO\b/i.test(message)) return loginBy("aws sso login", message);
  const profile = env["AWS_PROFILE"] ?? "";
  // Whatever its keys, role or process came to, the SDK goes on to the next provider and says nothing of it.
  const named =
    profile === ""
      ? ""
      : ` The profile ${JSON.stringify(profile)} gives none: check that there is one of that name, its keys, its \`source_profile\` or what its \`credential_process\` says.`;
  return `The S3 client has no credentials: set \`credentials\`, AWS_ACCESS_KEY_ID or a role.${named}`;
}

function loginBy(command: string, message: string): string {
  const profile = /\bprofile=([^\s,]+)/.exec(message)?.[1] ?? env["AWS_PROFILE"] ?? "";
  const line = profile === "" || profile === "default" ? command : `${command} --profile ${profile}`;
  return `Log in again (\`${line}\`), or give the S3 client other credentials.`;
}

/** Of connections that did not come to be, or broke: the next try may have more luck. */
const OF_CONNECTIONS = /^(?:ECONN|EAI_|ENOTFOUND|ETIMEDOUT|EPIPE|EHOST|ENET|UND_ERR)/;
const OF_TIME: ReadonlySet<unknown> = new Set(["TimeoutError", "AbortError"]);

/** Quotes what was thrown, in its own words. */
export function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : typeof cause === "string" ? cause : "it threw no Error";
}

/** Makes an error of what a caller's function threw in place of credentials, with what says whether it may recover. */
export function providerError(cause: unknown): Error {
  const error = new Error(`the credentials could not be had: ${wordsOf(cause)}`, { cause });
  return Object.assign(error, { name: "CredentialsFunctionError" }, passing(cause));
}

function passing(cause: unknown, depth = 0): object {
  if (typeof cause !== "object" || cause === null || depth > MAX_DEPTH) return {};
  const { name, code, status, statusCode, message, cause: inner } = cause as Readonly<Record<string, unknown>>;
  const answered = status ?? statusCode;
  if (typeof answered === "number") return { $metadata: { httpStatusCode: answered } };
  if (typeof code === "string" && OF_CONNECTIONS.test(code)) return { code };
  if (OF_TIME.has(name)) return { name };
  const further = passing(inner, depth + 1);
  const isFetch = name === "TypeError" && message === "fetch failed" && Object.keys(further).length === 0;
  return isFetch ? { code: "UND_ERR" } : further;
}

/** Of causes of causes: a provider wraps the error of the system, a chain of providers that of the provider; and causes may go in a circle. */
const MAX_DEPTH = 4;
