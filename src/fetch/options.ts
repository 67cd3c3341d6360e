import { checkBucketName, checkFunction, checkNonEmptyString, checkOptions, withDefault } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import type { OptionNames } from "../arguments/option-names.js";

/** What a request is signed with. */
export interface FetchCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What a {@link RequestSigner} is made with. */
export interface SignerInput extends FetchCredentials {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly service: "s3";
  readonly region: string;
  /** When it is signed, as `20261129T074500Z`. */
  readonly datetime: string;
}

/** Signs one request by AWS's Signature Version 4: `AwsV4Signer` of the package `aws4fetch` is one. */
export type RequestSigner = new (input: SignerInput) => { sign(): Promise<{ url: URL; headers: Headers }> };

/** Options of {@link fetchStore}. */
export interface FetchStoreOptions {
  readonly bucketName: string;
  /** The URL of the store, such as `"https://s3.example.org"`. @default AWS's in the `region` */
  readonly endpoint?: string | undefined;
  /** The region that requests are signed for. Without an `endpoint` it has to be given. @default "us-east-1" */
  readonly region?: string | undefined;
  /** Credentials, or a function that gives them. It is called for each request, so that it decides how long they are kept. */
  readonly credentials: FetchCredentials | (() => FetchCredentials | Promise<FetchCredentials>);
  /** What signs: the class `AwsV4Signer` of the package `aws4fetch`. */
  readonly signer: RequestSigner;
  /**
   * How many requests may be in flight; renewals and releases may use a fifth more. A runtime that lets fewer out, such as Cloudflare
   * Workers with its six, has the rest wait while their time runs: 5 there. @default 40
   */
  readonly maxInFlight?: number | undefined;
}

const FETCH_STORE_OPTIONS: OptionNames<FetchStoreOptions> = {
  bucketName: true,
  endpoint: true,
  region: true,
  credentials: true,
  signer: true,
  maxInFlight: true,
};

/** Where the objects are, of options that were checked. */
export interface Place {
  readonly bucketName: string;
  readonly region: string;
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly maxInFlight: number;
}

export function checkedPlace(options: FetchStoreOptions): Place {
  const { endpoint, region, signer, credentials } = checkOptions("options", options, FETCH_STORE_OPTIONS, "required");
  const bucketName = checkBucketName("bucketName", options.bucketName);
  if (!/^[\w.-]+$/.test(bucketName) || bucketName.endsWith("--x-s3")) {
    throw invalidArgument("bucketName", bucketName, "directory buckets and access points need an S3 client");
  }
  if (endpoint === undefined && region === undefined) {
    throw invalidArgument("region", region, "pass a region of AWS, or the endpoint of a store");
  }
  checkFunction("signer", signer);
  // Such as `(input) => new SignatureV4(input)`: no request could be built with it.
  if (signer.prototype === undefined)
    throw invalidArgument("signer", signer, "pass the class itself, such as SignatureV4");
  if (typeof credentials !== "function") checkCredentials(credentials);
  const signedFor = withDefault("region", region, "us-east-1", checkNonEmptyString);
  return {
    bucketName,
    region: signedFor,
    maxInFlight: withDefault("maxInFlight", options.maxInFlight, 40, checkAtLeastOne),
    endpoint: withDefault("endpoint", endpoint, `https://s3.${signedFor}.amazonaws.com`, checkUrl),
  };
}

function checkAtLeastOne(argument: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw invalidArgument(argument, value, "use a whole number, one or more");
}

function checkUrl(argument: string, value: unknown): string {
  if (typeof value === "string" && /^https?:\/\//i.test(value) && URL.canParse(value)) {
    return new URL(value).href.replace(/\/+$/, "");
  }
  throw invalidArgument(argument, value, "use a URL that begins with http:// or https://");
}

export function checkCredentials(credentials: FetchCredentials): FetchCredentials {
  checkNonEmptyString("credentials.accessKeyId", credentials?.accessKeyId);
  if (typeof credentials.secretAccessKey === "string" && credentials.secretAccessKey !== "") return credentials;
  // A secret is not repeated.
  throw invalidArgument(
    "credentials.secretAccessKey",
    typeof credentials.secretAccessKey,
    "use a text that is not empty",
  );
}
