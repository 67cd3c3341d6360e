import type { S3ClientConfig } from "@aws-sdk/client-s3";
import {
  asFolder,
  isUrl,
  type LockAddress,
  type LocksAddress,
  parseLock,
  parseLocks,
  parseStore,
  refuseAsName,
  type StoreAddress,
} from "./address.js";
import type { Input, OptionSpecs } from "./command.js";
import { UsageError } from "./usage-error.js";

/** The options of every command that looks at a store. */
export const LOOK_OPTIONS: OptionSpecs = {
  store: {
    type: "string",
    value: "s3://BUCKET/PREFIX/",
    help: "Where locks given by name only are (or S3_MUTEX_STORE)",
  },
  prefix: {
    type: "string",
    value: "PREFIX",
    help: "Where the name starts in an address (default: after its first folder)",
  },
  "endpoint-url": {
    type: "string",
    value: "URL",
    help: "An S3-compatible store (or AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL)",
  },
  region: { type: "string", value: "REGION", help: "Default: as for the AWS SDK; us-east-1 with an endpoint" },
  addressing: {
    type: "string",
    value: "path|virtual",
    help: "Where the bucket goes in the URL (default: path with an endpoint that is not AWS's)",
  },
};

/** The same for commands that have something to write to it. */
export const STORE_OPTIONS: OptionSpecs = {
  ...LOOK_OPTIONS,
  "create-bucket": { type: "boolean", help: "Create the bucket if it does not exist" },
};

const NO_STORE =
  "Which store? Write the lock as s3://BUCKET/locks/NAME or set S3_MUTEX_STORE=s3://BUCKET/locks/, and if you have no " +
  "store, `s3-mutex serve` starts one to try it with.";

/** The lock that is meant by `s3://bucket/prefix/name`, or by a name alone where there is a store. */
export function lockOf(input: Input, text: string): LockAddress {
  if (text === "") throw new UsageError("The name of the lock is empty.");
  if (isUrl(text)) return parseLock(text, prefixOf(input));
  refuseAsName(text);
  return { ...storeOf(input), lockName: text };
}

/** The locks that are meant by `s3://bucket/prefix/na`, or by the beginning of names where there is a store. */
export function locksOf(input: Input): LocksAddress {
  const [text = "", extra] = input.positionals;
  if (extra !== undefined) throw new UsageError(`One beginning of names is enough: ${extra} is one too many.`);
  if (isUrl(text)) return parseLocks(text, prefixOf(input));
  refuseAsName(text);
  return { ...storeOf(input), namePrefix: text };
}

/** The store that is given as an argument, or else that of `--store` or `S3_MUTEX_STORE`. */
export function storeAt(input: Input): StoreAddress {
  const [text, extra] = input.positionals;
  if (extra !== undefined) throw new UsageError(`One store at a time: ${extra} is one too many.`);
  if (text === undefined) return storeOf(input);
  if (!isUrl(text)) throw new UsageError(`${text} is no store: write s3://BUCKET/PREFIX/.`);
  const store = parseStore(text);
  return { ...store, keyPrefix: prefixOf(input) ?? store.keyPrefix };
}

/** The one lock that a command is about. */
export function onlyLockOf(input: Input): LockAddress {
  const [text, extra] = input.positionals;
  if (text === undefined)
    throw new UsageError("Which lock? Write s3://BUCKET/locks/NAME, or NAME where a store is set.");
  if (extra !== undefined) throw new UsageError(`One lock at a time: ${extra} is one too many.`);
  return lockOf(input, text);
}

/** The store of `--store` or `S3_MUTEX_STORE`. */
export function storeOf(input: Input): StoreAddress {
  const { values, environment } = input;
  const text = values.word("store") ?? environment["S3_MUTEX_STORE"] ?? "";
  if (text === "") throw new UsageError(NO_STORE);
  const store = parseStore(text);
  return { ...store, keyPrefix: prefixOf(input) ?? store.keyPrefix };
}

function prefixOf({ values }: Input): string | undefined {
  const prefix = values.text("prefix");
  return prefix === undefined ? undefined : asFolder(prefix);
}

/** How to reach the store; credentials come by the SDK's usual chain. */
export function clientConfigOf({ values, environment }: Input): S3ClientConfig {
  const given = values.word("endpoint-url");
  if (given !== undefined && !URL.canParse(given)) {
    throw new UsageError(`--endpoint-url ${JSON.stringify(given)} is no URL: write http://HOST:PORT.`);
  }
  const endpoint = given ?? configuredEndpoint(environment);
  const region =
    values.word("region") ?? nonEmpty(environment["AWS_REGION"]) ?? nonEmpty(environment["AWS_DEFAULT_REGION"]);
  const addressing = values.oneOf("addressing", ["path", "virtual"]);
  const isPathStyle = addressing === undefined ? endpoint !== undefined && !isAws(endpoint) : addressing === "path";
  return {
    ...(endpoint === undefined ? {} : { endpoint, region: region ?? "us-east-1" }),
    ...(region === undefined ? {} : { region }),
    ...(isPathStyle ? { forcePathStyle: true } : {}),
  };
}

/** The SDK reads these by itself; they are needed here because other stores rarely have a host name for each bucket. */
function configuredEndpoint(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]?.toLowerCase() === "true") return undefined;
  return nonEmpty(environment["AWS_ENDPOINT_URL_S3"]) ?? nonEmpty(environment["AWS_ENDPOINT_URL"]);
}

function isAws(endpoint: string): boolean {
  return URL.canParse(endpoint) && /\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
