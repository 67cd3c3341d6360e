import { keyOfName } from "../../core/names.js";
import { removalOf } from "../../runtime/swap/marker-commands.js";
import { createS3Client } from "../../store/s3/client/client.js";
import { headerFieldsOf } from "../../store/s3/client/store-headers.js";
import { endpointOf } from "../../store/s3/client/way.js";
import { markerAmong, versionsOf } from "../../store/s3/learnt/markers.js";
import type { Input } from "../base/command.js";
import { printable } from "../base/text.js";
import type { LockAddress } from "../store/address.js";
import { accessTo } from "../store/store-access.js";

/** What is said besides is not waited for longer. */
const LONGEST_MS = 5000;

/**
 * Writes a sentence about the delete marker that is there in place of a lock's object. Some stores take one for an object, so that the
 * lock is neither there nor can be acquired. Empty where there is none, or where it cannot be known.
 */
export async function deleteMarkerNote(input: Input, address: LockAddress): Promise<string> {
  const { bucketName, keyPrefix, lockName } = address;
  const encoded = keyOfName(keyPrefix, lockName);
  if (!encoded.ok) return "";
  const { s3ClientConfig, storeHeaders } = accessTo(input, address);
  const client = createS3Client({ ...s3ClientConfig, maxAttempts: 1 });
  try {
    const endpoint = endpointOf(client);
    const command = versionsOf(bucketName, encoded.key, headerFieldsOf(storeHeaders));
    const output = await client.send(command, { abortSignal: AbortSignal.timeout(LONGEST_MS) });
    const marker = markerAmong(output, encoded.key);
    if (marker === undefined || marker === "none") return "";
    const place = { bucketName, key: encoded.key, endpointUrl: endpoint.url };
    const remove = printable(removalOf(place, marker.versionId ?? "ID"));
    return ` Its object was deleted in a bucket with versioning, which left a delete marker. Where the store takes that for an object, so that the lock cannot be had, remove it: ${remove}`;
  } catch {
    // What was asked for has been answered.
    return "";
  } finally {
    client.destroy();
  }
}
