import {
  type DeleteMarker,
  type ReadOutcome,
  type Versioned,
  versioningOf,
  type WriteOutcome,
} from "../../object-store.js";
import type { Transmission } from "../answers/transmission.js";
import type { VersionsState } from "../client/client-state.js";

/** Reads the version that an answer about an object shows. */
export function versionIn({ headers = {} }: Transmission): Versioned {
  const versionId = headers["x-amz-version-id"];
  return versionId === undefined || versionId === "" ? {} : { versionId };
}

/** Reads the delete marker that a 404 shows: without one there was never an object, or the store does not tell. */
export function markerIn(transmission: Transmission): { readonly deleteMarker?: DeleteMarker } {
  return transmission.headers?.["x-amz-delete-marker"] === "true" ? { deleteMarker: versionIn(transmission) } : {};
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

  deleted(transmission: Transmission): void {
    if (markerIn(transmission).deleteMarker !== undefined || versionIn(transmission).versionId !== undefined) {
      this.#state.areKept = true;
    }
  }
}
