import { type ReadOutcome, type Versioned, versioningOf, type WriteOutcome } from "../object-store.js";
import type { VersionsState } from "./client-state.js";
import type { Attempt } from "./single-attempt.js";

/** The version that an answer about an object shows. */
export function versionIn({ headers = {} }: Attempt): Versioned {
  const versionId = headers["x-amz-version-id"];
  return versionId === undefined || versionId === "" ? {} : { versionId };
}

/** The delete marker that a 404 shows: without one there was never an object, or there are no versions. */
export function markerIn(attempt: Attempt): Versioned {
  return attempt.headers?.["x-amz-delete-marker"] === "true" ? versionIn(attempt) : {};
}

/**
 * Whether a bucket keeps versions, learnt from its answers. A write says how the bucket is now. A read says how it was when the
 * object was written: that there were versions once is never taken back by one, since versioning can be suspended but not ended.
 */
export class Versions {
  readonly #state: VersionsState;

  constructor(state: VersionsState) {
    this.#state = state;
  }

  read(outcome: ReadOutcome): void {
    const seen = versioningOf(outcome);
    if (seen === "enabled" || this.#state.versioning === undefined || this.#state.versioning === "none") {
      this.#state.versioning = seen ?? this.#state.versioning;
    }
  }

  written(outcome: WriteOutcome): void {
    if (outcome.kind === "ok") this.#state.versioning = versioningOf(outcome);
  }
}
