/** Access points, of a region or on an Outpost, whole: their slashes and colons belong to the name. */
const ACCESS_POINT =
  /^arn:[\w-]+:(?:s3:[\w-]+:\d*:accesspoint[/:][a-z0-9-]+|s3-outposts:[\w-]+:\d*:outpost[/:][\w-]+[/:]accesspoint[/:][a-z0-9-]+)/i;

/** The ARN of an access point at the start of a text, where there is one. */
export function accessPointAt(text: string): string | undefined {
  return ACCESS_POINT.exec(text)?.[0];
}

export function isAccessPoint(bucket: string): boolean {
  return accessPointAt(bucket) === bucket;
}

/** What a policy says of a bucket, or of some of its objects: an access point's objects are under `/object/`. */
export function arnOf(bucket: string, key?: string, partition = "aws"): string {
  const arn = bucket.startsWith("arn:") ? bucket : `arn:${partition}:s3:::${bucket}`;
  if (key === undefined) return arn;
  return `${arn}${isAccessPoint(arn) ? "/object" : ""}/${key}`;
}

/** Why locks cannot be in what this names; undefined for buckets and access points. */
export function whyNoBucket(bucket: string): string | undefined {
  if (/\.mrap$/i.test(bucket) || /^arn:[\w-]+:s3::\d*:accesspoint[/:]/i.test(bucket)) {
    return "a Multi-Region Access Point leads to the nearest of several buckets, and a condition holds in one bucket only, so two could hold one lock; use one bucket of them, or an access point of one region, in every process";
  }
  if (/^arn:[\w-]+:s3-object-lambda:/i.test(bucket)) {
    return "an Object Lambda Access Point changes what is read; use the bucket, or an access point of its own";
  }
  const name = /^arn:[\w-]+:s3:::([^/]+)/i.exec(bucket)?.[1];
  if (name !== undefined) return `that is the ARN of a bucket; use its name, ${JSON.stringify(name)}`;
  if (/^arn:/i.test(bucket) && !isAccessPoint(bucket)) {
    return "only ARNs of access points name a bucket, such as arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME";
  }
  return undefined;
}

/** Of S3 Express, and their access points. */
export function isDirectoryBucket(bucket: string): boolean {
  return /--xa?-s3$/.test(bucket);
}
