import {
  type DeleteMarker,
  type ReadOutcome,
  type Versioned,
  versioningOf,
  type WriteOutcome,
} from "../../object-store.js";
import type { Attempt } from "../answers/single-attempt.js";
import type { VersionsState } from "../client/client-state.js";

/** The version that an answer about an object shows. */
export function versionIn({ headers = {} }: Attempt): Versioned {
  const versionId = headers["x-amz-version-id"];
  return versionId === undefined || versionId === "" ? {} : { versionId };
}

/** The delete marker that a 404 shows: without one there was never an object, or the store does not tell. */
export function markerIn(attempt: Attempt): { readonly deleteMarker?: DeleteMarker } {
  return attempt.headers?.["x-amz-delete-marker"] === "true" ? { deleteMarker: versionIn(attempt) } : {};
}

/**
 * Whether a bucket keeps versions, learnt from its answers. That it does is never taken back: versioning can be suspended, but
 * not ended, and where it is suspended, some stores say so in the answer to a deletion and in no other.
 */
export class Versions {
  readonly #state: VersionsState;

  constructor(state: VersionsState) {
    this.#state = state;
  }

  /** Whether a deletion would leave a delete marker, or destroy the one version that was written while versioning was suspended. */
  get areKept(): boolean {
    return this.#state.areKept === true;
  }

  answered(outcome: ReadOutcome | WriteOutcome): void {
    const seen = versioningOf(outcome);
    const hasMarker = outcome.kind === "absent" && "deleteMarker" in outcome && outcome.deleteMarker !== "none";
    if (hasMarker || (seen !== undefined && seen !== "none")) this.#state.areKept = true;
  }

  deleted(attempt: Attempt): void {
    if (markerIn(attempt).deleteMarker !== undefined || versionIn(attempt).versionId !== undefined) {
      this.#state.areKept = true;
    }
  }
}
