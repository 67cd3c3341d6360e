/** Where an object is, for an operator's own client. */
export interface ObjectPlace {
  readonly bucketName: string;
  readonly key: string;
  /** The URL that our client was given in place of AWS's: theirs has to be given it as well. */
  readonly endpointUrl?: string | undefined;
}

/** Says how an operator removes one version of an object: a line for a POSIX shell. */
export function removalOf(place: ObjectPlace, versionId: string): string {
  const { bucketName, key } = place;
  return line("delete-object", place, [
    ["bucket", bucketName],
    ["key", key],
    ["version-id", versionId],
  ]);
}

/** Says how an operator sees the versions of an object, in such a line. */
export function listingOf(place: ObjectPlace): string {
  const { bucketName, key } = place;
  return line("list-object-versions", place, [
    ["bucket", bucketName],
    ["prefix", key],
  ]);
}

type Options = readonly (readonly [name: string, value: string])[];

function line(action: string, { endpointUrl }: ObjectPlace, options: Options): string {
  const where: Options = endpointUrl === undefined ? [] : [["endpoint-url", endpointUrl]];
  return `aws s3api ${action} ${[...where, ...options].map(option).join(" ")}`;
}

/** Writes an option with its value: what begins with a dash would be taken for an option of its own. */
function option([name, value]: Options[number]): string {
  return `--${name}${value.startsWith("-") ? "=" : " "}${quoted(value)}`;
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
