import { ListObjectVersionsCommand, type ListObjectVersionsCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import type { DeleteMarker, ReadOutcome, RequestOptions } from "../object-store.js";
import type { Operation, Send } from "./operation.js";
import type { HeaderFields } from "./store-headers.js";

export interface MarkersOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly fields: HeaderFields;
  readonly send: Send;
}

type Absent = Extract<ReadOutcome, { readonly kind: "absent" }>;

interface Suspect {
  refusals: number;
  /** Looked for once; `undefined` in it: the store did not tell. */
  found?: Promise<DeleteMarker | "none" | undefined>;
}

/** A create that comes second to somebody else's is refused once; it is seldom that by the next read the object is gone again. */
const REFUSALS = 2;

/** Keys that are kept in mind at the same time: where more are in trouble, one explains them all. */
const SUSPECTS_MAX = 100;

/**
 * What is there in place of an object where reads say that it is absent and creates say that it exists. Only a few stores tell in
 * the answer to the read which delete marker it is; the others are asked for the versions of the key, once, if they let us.
 */
export class Markers {
  readonly #options: MarkersOptions;
  readonly #suspects = new Map<string, Suspect>();

  constructor(options: MarkersOptions) {
    this.#options = options;
  }

  /** A create was refused, since the object exists. */
  refused(key: string): void {
    const suspect = this.#suspects.get(key) ?? { refusals: 0 };
    suspect.refusals += 1;
    if (this.#suspects.size < SUSPECTS_MAX) this.#suspects.set(key, suspect);
  }

  /** It was read or written: there is nothing to explain. */
  isThere(key: string): void {
    this.#suspects.delete(key);
  }

  async explained(key: string, absent: Absent, options: RequestOptions): Promise<Absent> {
    const { deleteMarker } = absent;
    const suspect = this.#suspects.get(key);
    const isTold = deleteMarker !== undefined && deleteMarker !== "none" && deleteMarker.versionId !== undefined;
    if (isTold || suspect === undefined || suspect.refusals < REFUSALS) return absent;
    suspect.found ??= this.#lookFor(key, options);
    const found = await suspect.found;
    const saysLess = found === undefined || (found === "none" && deleteMarker !== undefined);
    return saysLess ? absent : { ...absent, deleteMarker: found };
  }

  async #lookFor(key: string, options: RequestOptions): Promise<DeleteMarker | "none" | undefined> {
    const { client, bucket, fields, send } = this.#options;
    const operation: Operation<ListObjectVersionsCommandOutput, { kind: "ok"; found: DeleteMarker | "none" }> = {
      request: { action: "s3:ListBucketVersions", bucket },
      start: () => {
        const command = versionsOf(bucket, key, fields);
        return { command, work: (signal) => client.send(command, { abortSignal: signal }) };
      },
      onSuccess: (output) => ({ kind: "ok", found: markerAmong(output, key) }),
      onStatus: () => undefined,
    };
    const outcome = await send(operation, options);
    return outcome.kind === "ok" ? outcome.found : undefined;
  }
}

/** The request that shows the versions of a key, the newest first, and those of keys that begin with it. */
export function versionsOf(bucket: string, key: string, fields: Pick<HeaderFields, "list">): ListObjectVersionsCommand {
  return new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...fields.list });
}

/** The delete marker that is a key's newest version. */
export function markerAmong(
  { DeleteMarkers = [] }: ListObjectVersionsCommandOutput,
  key: string,
): DeleteMarker | "none" {
  const marker = DeleteMarkers.find(({ Key, IsLatest }) => Key === key && IsLatest === true);
  if (marker === undefined) return "none";
  const { VersionId: versionId } = marker;
  return versionId === undefined ? {} : { versionId };
}
