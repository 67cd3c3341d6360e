/** How an operator removes one version of an object: a line for a POSIX shell. */
export function removalOf(bucketName: string, key: string, versionId: string): string {
  return `aws s3api delete-object --bucket ${quoted(bucketName)} --key ${quoted(key)} --version-id ${quoted(versionId)}`;
}

/** How an operator sees the versions of an object: the same. */
export function listingOf(bucketName: string, key: string): string {
  return `aws s3api list-object-versions --bucket ${quoted(bucketName)} --prefix ${quoted(key)}`;
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
