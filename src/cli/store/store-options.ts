import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { accessPointAt } from "../../arguments/bucket-names.js";
import type { Input, OptionSpecs } from "../base/command.js";
import { UsageError } from "../base/usage-error.js";
import type { Values } from "../base/values.js";
import {
  isUrl,
  type LockAddress,
  type LocksAddress,
  parseLock,
  parseLocks,
  parseStore,
  type StoreAddress,
  twoMeanings,
} from "./address.js";
import { type CaBundle, connectionFor } from "./connection.js";
import { HEADER_OPTIONS } from "./header-options.js";
import { type Profile, readProfile, sharedFiles } from "./shared-config.js";
import { type NameKind, refuseRepeatedPrefix, refuseSlip } from "./slips.js";

/** The options of every command that looks at a store. */
export const LOOK_OPTIONS: OptionSpecs = {
  store: {
    type: "string",
    value: "s3://BUCKET/PREFIX/",
    help: "Where locks given by name only are (or S3_MUTEX_STORE)",
  },
  prefix: {
    type: "string",
    value: "PREFIX/",
    help: "The part of the address before the name (default: its first folder)",
  },
  "key-prefix": {
    type: "string",
    value: "TEXT",
    help: "The same where that is not a folder: exactly the library's keyPrefix",
  },
  "endpoint-url": {
    type: "string",
    value: "URL",
    help: "An S3-compatible store (or AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL)",
  },
  region: { type: "string", value: "REGION", help: "Default: as for the AWS SDK; us-east-1 with an endpoint" },
  profile: { type: "string", value: "NAME", help: "A profile of the AWS CLI's files (or AWS_PROFILE)" },
  "ca-bundle": {
    type: "string",
    value: "FILE",
    help: "Certificates to know the store by (or AWS_CA_BUNDLE)",
  },
  addressing: {
    type: "string",
    value: "path|virtual",
    help: "Where the bucket goes in the URL (default: path with an endpoint that is not AWS's)",
  },
  ...HEADER_OPTIONS,
};

/** The same for commands that are told names. */
export const NAME_OPTIONS: OptionSpecs = {
  literal: {
    type: "boolean",
    help: "Take what is given as a name exactly as the library has it, whatever it looks like",
  },
  ...LOOK_OPTIONS,
};

/** The same for commands that have something to write to it. */
export const STORE_OPTIONS: OptionSpecs = {
  ...NAME_OPTIONS,
  "create-bucket": { type: "boolean", help: "Create the bucket if it does not exist" },
};

/** What a command is about, where it is to be written as an address. */
const WRITTEN = {
  name: "the lock as s3://BUCKET/locks/NAME",
  beginning: "s3://BUCKET/locks/, which may be followed by the beginning of names,",
  store: "s3://BUCKET/locks/",
} as const;

function noStore(kind: keyof typeof WRITTEN): UsageError {
  return new UsageError(
    `Which store? Write ${WRITTEN[kind]} or set S3_MUTEX_STORE=s3://BUCKET/locks/, and if you have no store, \`s3-mutex serve\` starts one to try it with.`,
  );
}

/** Finds the lock that is meant by `s3://bucket/prefix/name`, or by a name alone where there is a store. */
export function lockOf(input: Input, text: string): LockAddress {
  if (text === "") throw new UsageError("The name of the lock is empty.");
  if (isAddress(input, text)) return parseLock(text, prefixOf(input));
  return { ...storeForName(input, text, "name"), lockName: text };
}

/** Finds the locks that are meant by `s3://bucket/prefix/na`, or by the beginning of names where there is a store. */
export function locksOf(input: Input): LocksAddress {
  const [text = "", extra] = input.positionals;
  if (extra !== undefined) throw new UsageError(`One beginning of names is enough: ${extra} is one too many.`);
  if (isAddress(input, text)) return parseLocks(text, prefixOf(input));
  return { ...storeForName(input, text, "beginning"), namePrefix: text };
}

/** Says whether it is an address, rather than a name. */
export function isAddress({ values }: Input, text: string): boolean {
  return isUrl(text) && !values.flag("literal");
}

function storeForName(input: Input, text: string, kind: NameKind): StoreAddress {
  const isLiteral = input.values.flag("literal");
  // What is wrong anyway is said first: a user that wrote s3:/b/locks/x has named a store.
  if (!isLiteral) refuseSlip(text, kind);
  const store = storeOf(input, kind);
  if (!isLiteral) refuseRepeatedPrefix(text, store, kind);
  return store;
}

/** Finds the store that is given as an argument, or else that of `--store` or `S3_MUTEX_STORE`. */
export function storeAt(input: Input): StoreAddress {
  const [text, extra] = input.positionals;
  if (extra !== undefined) throw new UsageError(`One store at a time: ${extra} is one too many.`);
  if (text === undefined) return storeOf(input, "store");
  if (!isUrl(text)) throw new UsageError(`${text} is not a store: write s3://BUCKET/PREFIX/.`);
  return parseStore(text, prefixOf(input));
}

/** Finds the one lock that a command is about. */
export function onlyLockOf(input: Input): LockAddress {
  const [text, extra] = input.positionals;
  if (text === undefined)
    throw new UsageError("Which lock? Write s3://BUCKET/locks/NAME, or NAME where a store is set.");
  if (extra !== undefined) throw new UsageError(`One lock at a time: ${extra} is one too many.`);
  return lockOf(input, text);
}

/** Finds the store of `--store` or `S3_MUTEX_STORE`. */
function storeOf(input: Input, kind: keyof typeof WRITTEN): StoreAddress {
  const { values, environment } = input;
  const given = values.word("store");
  const text = given ?? environment["S3_MUTEX_STORE"] ?? "";
  if (text === "") throw noStore(kind);
  const keyPrefix = prefixOf(input);
  try {
    return parseStore(text, keyPrefix);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${given === undefined ? "S3_MUTEX_STORE" : "--store"}: ${error.message}`);
  }
}

function prefixOf({ values }: Input): string | undefined {
  const [folder, exact] = [values.text("prefix"), values.text("key-prefix")];
  if (folder === undefined) return exact;
  if (exact !== undefined) throw new UsageError("--prefix and --key-prefix say the same in two ways: use one of them.");
  if (folder === "" || folder.endsWith("/")) return folder;
  throw twoMeanings(`--prefix ${folder}`, folder, `--prefix ${folder}/`, `--key-prefix ${folder}`);
}

/** Says how to reach the store; credentials come by the SDK's usual chain. */
export function clientConfigOf({ values, environment }: Input, bucketName = ""): S3ClientConfig {
  const given = values.word("endpoint-url");
  if (given !== undefined) checkEndpoint("--endpoint-url", given);
  const profile = profileOf(values, environment);
  const endpoint = given ?? configuredEndpoint(environment, profile);
  const region =
    values.word("region") ?? nonEmpty(environment["AWS_REGION"]) ?? nonEmpty(environment["AWS_DEFAULT_REGION"]);
  const ownStyle = values.oneOf("addressing", ["path", "virtual"]) ?? profile?.addressing;
  if (region === undefined && endpoint === undefined && profile === undefined) checkProfileNamed(environment);
  // The ARN of an access point makes a host name of its own, with any endpoint.
  const isArn = accessPointAt(bucketName) !== undefined;
  const isOther = !isArn && ownStyle !== "virtual" && endpoint !== undefined && !isAws(endpoint);
  const isPathStyle = ownStyle === "path" || isOther;
  return {
    ...(endpoint === undefined ? {} : { endpoint, region: region ?? profile?.region ?? "us-east-1" }),
    ...(region === undefined ? {} : { region }),
    ...(isPathStyle ? { forcePathStyle: true } : {}),
    ...connectionFor(endpoint, caBundleOf(values, environment, profile), environment),
  };
}

function profileOf(values: Values, environment: NodeJS.ProcessEnv): Profile | undefined {
  const given = values.word("profile");
  const name = given ?? nonEmpty(environment["AWS_PROFILE"]) ?? "default";
  const profile = readProfile(name, environment);
  if (profile !== undefined || given === undefined) return profile;
  throw noSuchProfile(`--profile ${JSON.stringify(given)}`, environment);
}

/** Refuses an unknown AWS_PROFILE if nothing else says the region. Otherwise the SDK may find credentials elsewhere, whatever the name. */
function checkProfileNamed(environment: NodeJS.ProcessEnv): void {
  const name = nonEmpty(environment["AWS_PROFILE"]);
  if (name !== undefined) throw noSuchProfile(`AWS_PROFILE ${JSON.stringify(name)}`, environment);
}

function noSuchProfile(named: string, environment: NodeJS.ProcessEnv): UsageError {
  return new UsageError(`${named}: there is no such profile in ${sharedFiles(environment).join(" or ")}.`);
}

function caBundleOf(
  values: Values,
  environment: NodeJS.ProcessEnv,
  profile: Profile | undefined,
): CaBundle | undefined {
  const candidates: readonly (readonly [string, string | undefined])[] = [
    ["--ca-bundle", values.word("ca-bundle")],
    ["AWS_CA_BUNDLE", nonEmpty(environment["AWS_CA_BUNDLE"])],
    ["ca_bundle of the profile", profile?.caBundle],
  ];
  for (const [source, path] of candidates) if (path !== undefined) return { source, path };
  return undefined;
}

/** Reads the endpoint, which the SDK does by itself: it is needed here because other stores rarely have a host name for each bucket. */
function configuredEndpoint(environment: NodeJS.ProcessEnv, profile: Profile | undefined): string | undefined {
  if (environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() === "true") return undefined;
  for (const name of ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]) {
    const endpoint = nonEmpty(environment[name]);
    if (endpoint !== undefined) return checkEndpoint(name, endpoint);
  }
  return profile?.endpoint === undefined ? undefined : checkEndpoint("endpoint_url of the profile", profile.endpoint);
}

/** Refuses what is not a URL, by where it was written, and what: without a scheme, `localhost:9000` is a URL, and of no use. */
export function checkEndpoint(source: string, text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  const example = /^[\w.-]+(:\d+)?$/.test(text)
    ? `http://${text} or https://${text}`
    : "http://HOST:PORT or https://HOST";
  throw new UsageError(`${source} ${JSON.stringify(text)} is not a URL: write ${example}.`);
}

function isAws(endpoint: string): boolean {
  return URL.canParse(endpoint) && /\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
