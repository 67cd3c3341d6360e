import { describe, expect, it } from "vitest";
import type { Failure } from "./failure.js";
import { refusalOf } from "./refusals.js";

const GET = { action: "s3:GetObject", bucket: "locks", key: "a" };
const PUT = { action: "s3:PutObject", bucket: "locks", key: "a", isConditional: true };
const failed = (status: number, code: string, rest: Partial<Failure> = {}): Failure => ({
  status,
  code,
  message: "",
  isForeign: false,
  sent: true,
  ...rest,
});

const ALLOW_PUT =
  "Allow s3:PutObject on arn:aws:s3:::locks/a. If it is allowed, the bucket's policy may want headers, such as for encryption or an ACL: set `storeHeaders`.";
const TOO_LONG =
  "The key has 1 bytes, 1 of them in its longest part between slashes, `.json` included. S3 takes keys of 1,024 bytes; stores on file systems take parts of 255, and some of fewer (`s3-mutex doctor` finds out): use a shorter name.";

/** Each refusal: the answer, the code of the error, and all that the caller is told to do. */
const TABLE: readonly (readonly [number, string, string, string, string])[] = [
  [404, "NoSuchBucket", "", "no-such-bucket", "Create the bucket locks, or set `createBucketIfNotExists: true`."],
  ...[
    "PermanentRedirect",
    "TemporaryRedirect",
    "Redirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
  ].map(
    (code) => [400, code, "", "invalid-argument", "Set `region` of the S3 client to the bucket's region."] as const,
  ),
  [301, "Odd", "", "invalid-argument", "Set `region` of the S3 client to the bucket's region."],
  [307, "Odd", "", "invalid-argument", "Set `region` of the S3 client to the bucket's region."],
  ...["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"].map(
    (code) =>
      [
        400,
        code,
        "",
        "access-denied",
        "The credentials of the S3 client have expired, and there are no others: log in again, or give it a credential provider that renews them.",
      ] as const,
  ),
  [
    400,
    "InvalidToken",
    "",
    "access-denied",
    "The session token is not valid: check `sessionToken` and that it belongs to this access key.",
  ],
  [
    403,
    "InvalidAccessKeyId",
    "",
    "access-denied",
    "The store does not know this access key: check `accessKeyId` and the endpoint.",
  ],
  [
    403,
    "SignatureDoesNotMatch",
    "",
    "access-denied",
    "The secret does not fit the access key: check `secretAccessKey`, region and endpoint.",
  ],
  [401, "Unauthorized", "", "access-denied", "The store wants other credentials: check those of the S3 client."],
  [
    403,
    "Odd",
    "no kms:Decrypt for you",
    "access-denied",
    "Allow kms:Decrypt on the KMS key of the bucket; locks need kms:GenerateDataKey and kms:Decrypt.",
  ],
  [
    400,
    "KMS.DisabledException",
    "",
    "access-denied",
    "The KMS key of the bucket cannot be used: enable it, or choose another as default encryption.",
  ],
  [
    400,
    "XMinioKMSKeyNotFound",
    "",
    "access-denied",
    "The KMS key of the bucket cannot be used: enable it, or choose another as default encryption.",
  ],
  [
    403,
    "QuotaExceeded",
    "",
    "access-denied",
    "The quota of the store is used up: raise it, or delete something. A renewal is a write too.",
  ],
  [
    400,
    "TooManyObjects",
    "",
    "access-denied",
    "The quota of the store is used up: raise it, or delete something. A renewal is a write too.",
  ],
  [
    405,
    "Odd",
    "",
    "store-unsafe",
    "The endpoint does not take such requests: it may be a website or a console, or the store is read-only.",
  ],
  ...["read-only", "readonly", "Read Only"].map(
    (words) =>
      [
        403,
        "Odd",
        `It is ${words} now`,
        "access-denied",
        "The store is read-only: locks need writes. Use one that takes them, or wait for the end of its maintenance.",
      ] as const,
  ),
  [
    403,
    "ReadOnlyMode",
    "",
    "access-denied",
    "The store is read-only: locks need writes. Use one that takes them, or wait for the end of its maintenance.",
  ],
  ...["AccountProblem", "AllAccessDisabled", "NotSignedUp", "PaymentRequired", "UserSuspended", "InvalidPayer"].map(
    (code) =>
      [
        403,
        code,
        "",
        "access-denied",
        "The account of the store is suspended or limited: no policy helps, its provider does.",
      ] as const,
  ),
  [451, "Odd", "", "access-denied", "The store blocks this for legal reasons."],
  ...["a checksum is missing", "Content-MD5 wanted"].map(
    (words) =>
      [
        400,
        "Odd",
        words,
        "store-unsafe",
        'The store wants a checksum with each write, as under Object Lock: set `requestChecksumCalculation: "WHEN_SUPPORTED"`. If it is the checksum that it cannot do, set "WHEN_REQUIRED".',
      ] as const,
  ),
  ...["AccessDenied", "AccessDeniedException", "Forbidden", "AccessForbidden", ""].map(
    (code) => [403, code, "", "access-denied", ALLOW_PUT] as const,
  ),
  [401, "AccessDenied", "", "access-denied", ALLOW_PUT],
  [403, "Odd", "", "access-denied", "It is not a matter of s3:* permissions: the store's own words say why."],
  ...["InvalidBucketName", "InvalidURI"].map(
    (code) => [400, code, "", "invalid-argument", "Check the bucket's name and the length of the key."] as const,
  ),
  ...["KeyTooLongError", "KeyTooLong"].map((code) => [400, code, "", "invalid-argument", TOO_LONG] as const),
  [500, "InternalError", "File name too long", "invalid-argument", TOO_LONG],
  [400, "Odd", "The URI you sent is too long", "invalid-argument", TOO_LONG],
  [400, "Odd", "It is too long for an object key", "invalid-argument", TOO_LONG],
  [500, "InternalError", "ENAMETOOLONG: name too long, open", "invalid-argument", TOO_LONG],
  [414, "", "", "invalid-argument", TOO_LONG],
  ...["InvalidObjectName", "InvalidKey", "XMinioInvalidObjectName"].map(
    (code) =>
      [
        400,
        code,
        "",
        "invalid-argument",
        "The store does not take such keys: use a keyPrefix of letters, digits, `-`, `_` and single slashes.",
      ] as const,
  ),
  ...[400, 501].map(
    (status) =>
      [
        status,
        "Odd",
        "",
        "store-unsafe",
        'Locks need PutObject with If-Match and If-None-Match (`s3-mutex doctor` checks a store). If it is the checksums of newer SDKs that it cannot do, set `requestChecksumCalculation: "WHEN_REQUIRED"`.',
      ] as const,
  ),
  [422, "Odd", "", "store-unsafe", "The store does not do what locks need: `s3-mutex doctor` examines it."],
];

it.each(TABLE)("%i %s %s is %s: %s", (status, code, message, errorCode, remedy) => {
  expect(refusalOf(failed(status, code, { message }), PUT)).toMatchObject({ kind: "refused", code: errorCode, remedy });
});

it("does not advise an option that is set, or that is about another bucket", () => {
  const { remedy } = refusalOf(failed(404, "NoSuchBucket"), { ...GET, isNotCreated: true }) as {
    readonly remedy: string;
  };
  expect(remedy).toBe("Create the bucket locks.");
});

it("names the region where the answer does", () => {
  expect(refusalOf(failed(301, "PermanentRedirect", { bucketRegion: "eu-west-1" }), GET)).toMatchObject({
    remedy: 'Set `region` of the S3 client to "eu-west-1".',
  });
});

it.each([404, 409, 412])("%i is about the moment", (status) => {
  expect(refusalOf(failed(status, "Odd"), PUT)).toEqual({ kind: "unknown" });
});

describe("what is asked for makes a difference", () => {
  it("who reads needs the right to list as well, and a request about the bucket has no key", () => {
    expect(refusalOf(failed(403, "AccessDenied"), GET)).toMatchObject({
      remedy:
        "Allow s3:GetObject on arn:aws:s3:::locks/a and s3:ListBucket on the bucket (a missing object is 403 without it). If it is allowed, the bucket may be another account's than expected, or want its requesters to pay: set `storeHeaders`.",
    });
    expect(refusalOf(failed(403, "AccessDenied"), { action: "s3:ListBucket", bucket: "locks" })).toMatchObject({
      remedy: "Allow s3:ListBucket on arn:aws:s3:::locks.",
    });
  });

  it("a request about the bucket has no key that could be too long, but a prefix", () => {
    const list = { action: "s3:ListBucket", bucket: "locks" };
    for (const code of ["KeyTooLongError", "KeyTooLong"])
      expect(refusalOf(failed(400, code), list)).toMatchObject({
        code: "invalid-argument",
        remedy: "The store does not take such keys: use a keyPrefix of letters, digits, `-`, `_` and single slashes.",
      });
    expect(refusalOf(failed(414, "Odd"), list)).toMatchObject({ code: "store-unsafe" });
    expect(refusalOf(failed(400, "NotKeyTooLong"), PUT)).toMatchObject({ code: "store-unsafe" });
  });

  it("says whether it is about credentials or permissions, where it is about either", () => {
    expect(refusalOf(failed(400, "ExpiredToken"), PUT)).toMatchObject({ about: "credentials" });
    for (const answer of [failed(403, "AccessDenied"), failed(403, "Odd", { message: "no kms:Decrypt" })])
      expect(refusalOf(answer, PUT)).toMatchObject({ about: "permissions" });
    expect(refusalOf(failed(403, "Odd"), PUT)).not.toHaveProperty("about");
  });

  it("an archived object is named", () => {
    const remedy =
      "is archived, so it cannot be read: keep lifecycle rules that move objects to other storage classes off the locks of locks. deleteLock(name, true) clears the lock.";
    expect(refusalOf(failed(403, "InvalidObjectState"), GET)).toEqual({
      kind: "refused",
      code: "access-denied",
      remedy: `The object a ${remedy}`,
    });
  });

  it("only a condition can be what a store cannot do", () => {
    for (const status of [400, 501])
      expect(refusalOf(failed(status, "Odd"), GET)).toMatchObject({
        code: "store-unsafe",
        remedy: "The store does not do what locks need: `s3-mutex doctor` examines it.",
      });
  });

  it("a right of the key service counts in a 403, a checksum in a 400, and a code of it at its beginning", () => {
    const unsafe = { code: "store-unsafe" };
    expect(refusalOf(failed(400, "Odd", { message: "kms:Decrypt" }), PUT)).toMatchObject(unsafe);
    expect(refusalOf(failed(400, "NotKMS"), PUT)).toMatchObject(unsafe);
    expect(refusalOf(failed(403, "Odd", { message: "checksum" }), PUT)).toMatchObject({ code: "access-denied" });
  });
});

describe("a bucket that S3 would not create", () => {
  const RULE =
    "Names have 3 to 63 characters: small letters, digits, hyphens, and dots that do not stand side by side. They begin and end with a letter or a digit, and are not an IP address.";

  it.each(["My_Bucket", "ab", "a".repeat(64), "my-bucket-", "my..bucket", "10.0.0.7", "bücher"])(
    "%s is not advised to be created, be it missing or not a name",
    (bucket) => {
      for (const [failure, code] of [
        [failed(404, "NoSuchBucket"), "no-such-bucket"],
        [failed(400, "InvalidBucketName"), "invalid-argument"],
      ] as const)
        expect(refusalOf(failure, { ...PUT, bucket })).toMatchObject({
          code,
          remedy: `Check the bucket's name: S3 creates no bucket ${JSON.stringify(bucket)}. ${RULE}`,
        });
    },
  );

  it.each(["locks", "my.bucket-1", "tenant:locks", "arn:aws:s3:eu-west-1:123456789012:accesspoint/locks"])(
    "%s is not one",
    (bucket) => {
      expect(refusalOf(failed(404, "NoSuchBucket"), { ...PUT, bucket })).toMatchObject({
        remedy: `Create the bucket ${bucket}, or set \`createBucketIfNotExists: true\`.`,
      });
    },
  );
});

it("a bucket whose name looks like something else is not advised to be created", () => {
  const { remedy } = refusalOf(failed(404, "NoSuchBucket"), { ...GET, bucket: "undefined" }) as {
    readonly remedy: string;
  };
  expect(remedy).toBe('Check the bucket\'s name: "undefined" looks like a value that was missing, or an address.');
});
