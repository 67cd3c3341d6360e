import { S3MutexError } from "../../../errors.js";
import { type RefusedOutcome, remedyForVersions, type Versioning } from "../../object-store.js";
import type { EtagForm } from "../client/client-state.js";

/** An ETag as it was shown, taken apart. */
export interface EtagShape {
  /** What identifies the version. */
  readonly core: string;
  /** In which way it is shown otherwise than as a strong ETag in quotes, which is "". */
  readonly shape: string;
}

/** What servers that compress add to the ETag of what they send. */
const ENCODING = /(?:[-;:+.]+)(?:gzip|gz|br|brotli|deflate|df|zstd|zst|compress|compressed)$/i;

export function shapeOf(etag: string): EtagShape {
  const isWeak = /^W\//i.test(etag);
  const tag = isWeak ? etag.slice(2) : etag;
  const isQuoted = tag.length >= 2 && tag.startsWith('"') && tag.endsWith('"');
  const opaque = isQuoted ? tag.slice(1, -1) : tag;
  const encoding = ENCODING.exec(opaque)?.[0] ?? "";
  const shape = [isWeak ? "weak" : "", isQuoted ? "" : "without quotes", encoding]
    .filter((one) => one !== "")
    .join(", ");
  return { core: opaque.slice(0, opaque.length - encoding.length), shape };
}

/** Names the version where ETags of this shape are taken as they are: any other one stands for the strong ETag under it. */
export function asTaken(etag: string, takenShape: string): string {
  const { core, shape } = shapeOf(etag);
  return shape === takenShape ? etag : strongEtag(core);
}

/** Says whether they name one version, however they are shown. */
export function haveOneCore(one: string, other: string): boolean {
  return shapeOf(one).core === shapeOf(other).core;
}

export function strongEtag(core: string): string {
  return `"${core}"`;
}

/** Writes the ETag as a condition is to have it. */
export function inForm(form: EtagForm, etag: string): string {
  return form === "as-returned" ? etag : etag.replace(/^(?:W\/)?"(.*)"$/, "$1");
}

/** Refuses the store for good. `versioning`: of the bucket, where it may be the reason. */
export function unsafe(fault: string, versioning?: Versioning): RefusedOutcome {
  const remedy = remedyForVersions(versioning) ?? "Use one whose conditional writes work (s3-mutex doctor).";
  const message = `This store cannot hold locks: ${fault}. ${remedy}`;
  return { kind: "refused", error: new S3MutexError("store-unsafe", message) };
}
