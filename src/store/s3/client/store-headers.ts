import type { ObjectCannedACL, RequestPayer, ServerSideEncryption, StorageClass } from "@aws-sdk/client-s3";

/** What a bucket's owner or policy wants to see with requests. Nothing of it is sent unless it is set here. */
export interface StoreHeaders {
  /**
   * The account, 12 digits, that the bucket must belong to: with every request. S3 refuses where the bucket belongs to another account, such
   * as one that was deleted and created again by another account under the same name.
   */
  readonly expectedBucketOwner?: string | undefined;
  /** This account pays for requests to a bucket of another one (Requester Pays). @default false */
  readonly requesterPays?: boolean | undefined;
  /** A canned ACL for what is written, such as `"bucket-owner-full-control"`. It needs `s3:PutObjectAcl`, too. */
  readonly acl?: ObjectCannedACL | undefined;
  /** How the store encrypts what is written: `"AES256"`, `"aws:kms"`, `"aws:kms:dsse"`. */
  readonly serverSideEncryption?: "AES256" | "aws:kms" | "aws:kms:dsse" | undefined;
  /** The KMS key, by its ARN or id, for one of the two `aws:kms`. */
  readonly kmsKeyId?: string | undefined;
  /** The encryption context for KMS: pairs of texts. */
  readonly kmsEncryptionContext?: Readonly<Record<string, string>> | undefined;
  /** Whether S3 derives keys from one for the bucket, which saves most requests to KMS. */
  readonly bucketKeyEnabled?: boolean | undefined;
  /** The storage class of what is written. Not one that has to be restored before it can be read. */
  readonly storageClass?: string | undefined;
}

interface OwnerFields {
  readonly ExpectedBucketOwner?: string;
}

interface RequestFields extends OwnerFields {
  readonly RequestPayer?: RequestPayer;
}

interface PutFields extends RequestFields {
  readonly ACL?: ObjectCannedACL;
  readonly ServerSideEncryption?: ServerSideEncryption;
  readonly SSEKMSKeyId?: string;
  readonly SSEKMSEncryptionContext?: string;
  readonly BucketKeyEnabled?: boolean;
  readonly StorageClass?: StorageClass;
}

/** The same by request, each with what S3 knows there and nothing else: it refuses encryption headers on a read. */
export interface HeaderFields {
  readonly put: PutFields;
  /** GET and HEAD of an object. */
  readonly get: RequestFields;
  readonly delete: RequestFields;
  readonly list: RequestFields;
  /** Reading how the bucket is configured. */
  readonly config: OwnerFields;
}

/** Nothing more than S3 needs. */
export const NO_HEADERS: HeaderFields = { put: {}, get: {}, delete: {}, list: {}, config: {} };

/** Translates options that were checked into the fields of commands. */
export function headerFieldsOf(headers: StoreHeaders | undefined): HeaderFields {
  if (headers === undefined) return NO_HEADERS;
  const config = given({ ExpectedBucketOwner: headers.expectedBucketOwner });
  const payer: RequestPayer | undefined = headers.requesterPays === true ? "requester" : undefined;
  const request = { ...config, ...given({ RequestPayer: payer }) };
  const context = headers.kmsEncryptionContext;
  const put = {
    ...request,
    ...given({
      ACL: headers.acl,
      ServerSideEncryption: headers.serverSideEncryption,
      SSEKMSKeyId: headers.kmsKeyId,
      SSEKMSEncryptionContext:
        context === undefined ? undefined : Buffer.from(JSON.stringify(context)).toString("base64"),
      BucketKeyEnabled: headers.bucketKeyEnabled,
      StorageClass: headers.storageClass as StorageClass | undefined,
    }),
  };
  return { put, get: request, delete: request, list: request, config };
}

function given<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };
}
