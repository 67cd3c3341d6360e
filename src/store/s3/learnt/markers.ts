import { ListObjectVersionsCommand, type ListObjectVersionsCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import type { DeleteMarker, ReadOutcome, RequestOptions } from "../../object-store.js";
import type { Operation, OperationSender } from "../answers/operation.js";
import type { HeaderFields } from "../client/store-headers.js";

export interface MarkersOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly fields: HeaderFields;
  readonly sender: OperationSender;
}

type Absent = Extract<ReadOutcome, { readonly kind: "absent" }>;

interface Suspect {
  refusals: number;
  /** How often it was asked about. */
  asked: number;
  /** `undefined` in it: the store did not tell. */
  found?: Promise<DeleteMarker | "none" | undefined> | undefined;
}

/** A create that comes second to another client's is refused once; it is seldom that by the next read the object is gone again. */
const REFUSALS = 2;

/** A store that does not answer is asked again, by the next caller; so often. */
const QUESTIONS = 3;

/** In milliseconds; callers that wait for it have a time of their own, and can do without. */
const LONGEST_ANSWER_MS = 1000;

/** Keys that are kept in mind at the same time: where more are in trouble, one explains them all. */
const SUSPECTS_MAX = 100;

/**
 * What is there in place of an object where reads say that it is absent and creates say that it exists. Only a few stores tell in
 * the answer to the read which delete marker it is; the others are asked for the versions of the key, if they let us.
 */
export class Markers {
  readonly #options: MarkersOptions;
  readonly #suspects = new Map<string, Suspect>();

  constructor(options: MarkersOptions) {
    this.#options = options;
  }

  /** Notes that a create was refused, since the object exists. */
  refused(key: string): void {
    const suspect = this.#suspects.get(key) ?? { refusals: 0, asked: 0 };
    suspect.refusals += 1;
    if (this.#suspects.size < SUSPECTS_MAX) this.#suspects.set(key, suspect);
  }

  /** Notes that it was read or written: there is nothing to explain. */
  noteFound(key: string): void {
    this.#suspects.delete(key);
  }

  async explained(key: string, absent: Absent, options: RequestOptions): Promise<Absent> {
    const { deleteMarker } = absent;
    const suspect = this.#suspects.get(key);
    const isTold = deleteMarker !== undefined && deleteMarker !== "none" && deleteMarker.versionId !== undefined;
    if (isTold || suspect === undefined || suspect.refusals < REFUSALS) return absent;
    suspect.found ??= this.#lookFor(key, suspect, options);
    const found = await suspect.found;
    const saysLess = found === undefined || (found === "none" && deleteMarker !== undefined);
    return saysLess ? absent : { ...absent, deleteMarker: found };
  }

  async #lookFor(key: string, suspect: Suspect, options: RequestOptions): Promise<DeleteMarker | "none" | undefined> {
    const { client, bucket, fields, sender } = this.#options;
    const operation: Operation<
      ListObjectVersionsCommandOutput,
      { kind: "ok"; found: DeleteMarker | "none" | undefined }
    > = {
      request: { action: "s3:ListBucketVersions", bucket },
      start: () => {
        const command = versionsOf(bucket, key, fields);
        return { command, work: (signal) => client.send(command, { abortSignal: signal }) };
      },
      onSuccess: (output) => ({ kind: "ok", found: markerAmong(output, key) }),
      onStatus: () => undefined,
    };
    suspect.asked += 1;
    const timeoutMs = Math.min(options.timeoutMs, LONGEST_ANSWER_MS);
    const outcome = await sender.send(operation, { ...options, timeoutMs });
    if (outcome.kind === "unknown" && suspect.asked < QUESTIONS) suspect.found = undefined;
    return outcome.kind === "ok" ? outcome.found : undefined;
  }
}

/** Makes the request that shows the versions of a key, the newest first, and those of keys that begin with it. */
export function versionsOf(bucket: string, key: string, fields: Pick<HeaderFields, "list">): ListObjectVersionsCommand {
  return new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...fields.list });
}

/** Finds the delete marker that is a key's newest version; `none` where that is an object, undefined where nothing is shown. */
export function markerAmong(
  { DeleteMarkers = [], Versions = [] }: ListObjectVersionsCommandOutput,
  key: string,
): DeleteMarker | "none" | undefined {
  const marker = DeleteMarkers.find(({ Key, IsLatest }) => Key === key && IsLatest === true);
  if (marker === undefined) {
    return Versions.some(({ Key, IsLatest }) => Key === key && IsLatest === true) ? "none" : undefined;
  }
  const { VersionId: versionId } = marker;
  return versionId === undefined ? {} : { versionId };
}
