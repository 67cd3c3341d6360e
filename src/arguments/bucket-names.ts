/** Access points, of a region or on an Outpost, whole: their slashes and colons belong to the name. */
const ACCESS_POINT =
  /^arn:[\w-]+:(?:s3:[\w-]+:\d*:accesspoint[/:][a-z0-9-]+|s3-outposts:[\w-]+:\d*:outpost[/:][\w-]+[/:]accesspoint[/:][a-z0-9-]+)/i;

/** Finds the ARN of an access point at the start of a text. */
export function accessPointAt(text: string): string | undefined {
  return ACCESS_POINT.exec(text)?.[0];
}

export function isAccessPoint(bucket: string): boolean {
  return accessPointAt(bucket) === bucket;
}

/** Names a bucket, or some of its objects, as a policy does: an access point's objects are under `/object/`. */
export function arnOf(bucket: string, key?: string, partition = "aws"): string {
  const arn = bucket.startsWith("arn:") ? bucket : `arn:${partition}:s3:::${bucket}`;
  if (key === undefined) return arn;
  return `${arn}${isAccessPoint(arn) ? "/object" : ""}/${key}`;
}

/** Says why this does not name a bucket, or names one that locks cannot be in; undefined for buckets and access points. */
export function whyNoBucket(bucket: string): string | undefined {
  return isAccessPoint(bucket) ? undefined : (whyNoName(bucket) ?? whyNoPlaceForLocks(bucket));
}

/**
 * Says why this is an address, a path or a variable that nothing has replaced: no store has such buckets, and the request would say that it
 * is not there. Ceph has colons in the names of other tenants' buckets, and old buckets have capital letters and underscores.
 */
function whyNoName(bucket: string): string | undefined {
  const url = /^([a-z][a-z0-9+.-]*):(?:\/\/(.*))?$/is.exec(bucket);
  if (url?.[1]?.toLowerCase() === "s3") return addressFault(url[2] ?? "");
  if (url !== null) return "that is a URL; pass the name of the bucket alone, and the URL as endpoint of the client";
  if (/^s3:/i.test(bucket)) return addressFault(bucket.slice(3));
  // A tenant of Ceph has no dot, and what stands behind its colon no slash.
  const host =
    /^\/*(\[?[^/\s]+:\d+)\/+([^/]*)/.exec(bucket) ?? /^((?:localhost|[^/:\s]+\.[^/:\s]+):\d+)$/i.exec(bucket);
  if (host !== null) return hostFault(host[1] ?? "", host[2] ?? "");
  const stray = STRAY.exec(bucket)?.[0];
  if (stray !== undefined) {
    const what = strayWords(stray);
    return `no bucket has ${what} in its name; pass the name alone, such as "my-bucket"`;
  }
  if (bucket.includes("/") && !/^arn:/i.test(bucket)) return addressFault(bucket);
  return /^\.+$/.test(bucket) ? 'that is a folder; pass the name of a bucket, such as "my-bucket"' : undefined;
}

function strayWords(stray: string): string {
  if (INVISIBLE.test(stray)) {
    const point = (stray.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return `an invisible character (U+${point})`;
  }
  return stray.trim() === "" ? "a space or a line break" : JSON.stringify(stray);
}

/** Such as a zero-width space or a byte order mark, which come along with what is copied from a page or a file. */
const INVISIBLE = /\p{Cf}/u;

function hostFault(host: string, name: string): string {
  const alone = isAdvisable(name)
    ? `pass the name of the bucket alone, ${JSON.stringify(name)}`
    : "pass the name of a bucket alone";
  return `that is an address; ${alone}, and ${JSON.stringify(`http://${host}`)} as endpoint of the client`;
}

/** Blanks, and what stands for a variable in some shell or template. */
const STRAY = /\s|[\p{Cc}\p{Cf}\\?#%*"'`<>|^{}()[\]$&@!,;=+~]/u;

function addressFault(address: string): string {
  const [, name = "", prefix = ""] = /^\/*([^/]*)\/*(.*)$/s.exec(address) ?? [];
  const isScheme = SCHEME.test(address);
  const alone =
    isAdvisable(name) && !isScheme ? `pass the name alone, ${JSON.stringify(name)}` : "pass the name of a bucket alone";
  return prefix === ""
    ? `that is more than a name; ${alone}`
    : `that is more than a name; ${alone}, and what keys begin with as keyPrefix`;
}

/** A URL that has lost its colon. */
const SCHEME = /^(?:https?|s3)\/\//i;

/** Says whether this may be a bucket, and is not a drive, a folder or a host. */
function isAdvisable(name: string): boolean {
  return name !== "" && !name.endsWith(":") && !HOST.test(name) && whyNoBucket(name) === undefined;
}

const HOST = /^(?:localhost|\d+(?:\.\d+){3})$|(?:^|\.)amazonaws\.com(?:\.cn)?$/i;

/** Says whether this is more likely a value that was missing, or a host with its port, than the name of a bucket, which it may be. */
export function looksMistaken(bucket: string): boolean {
  return /^(?:undefined|null|NaN|[^:/]+:\d+)$/.test(bucket);
}

/**
 * Says whether a bucket may be created under this name: old ones, and those of stores that are not AWS's, may have others. What stands before
 * the colon is a tenant of Ceph.
 */
export function isNewName(bucket: string): boolean {
  const name = bucket.slice(bucket.lastIndexOf(":") + 1);
  if (isAccessPoint(bucket)) return true;
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes("..") && !/^\d+(?:\.\d+){3}$/.test(name);
}

/** Says why locks cannot be there, of what does name a place. */
export function whyNoPlaceForLocks(bucket: string): string | undefined {
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

/** Says whether this is a bucket of S3 Express, or an access point to one. */
export function isDirectoryBucket(bucket: string): boolean {
  return /--xa?-s3$/.test(bucket);
}
