import type { Mutant } from "../../mutant.js";

const IN_BUCKETS = "test/api/versioned.test.ts";

/** Buckets that keep versions: clients do not delete there, and a delete marker in the way is named. */
export const VERSIONS: readonly Mutant[] = [
  {
    name: "deletes in a versioned bucket",
    why: "a deletion or a cleanup leaves a delete marker, which counts as an object on some stores: the lock cannot be had any more",
    file: "src/store/s3/learnt/versions.ts",
    search: "return this.#state.areKept === true;",
    replace: "return false;",
    caughtBy: { test: IN_BUCKETS, named: "the first deletion of a client leaves a tombstone" },
  },
  {
    name: "delete markers of the probe not seen",
    why: "where versioning is suspended and only the answers to deletions tell, the first deletion leaves a delete marker",
    file: "src/store/s3/requests.ts",
    search: "        this.#versions.deleted(transmission);\n",
    replace: "",
    caughtBy: { test: IN_BUCKETS, named: "the first deletion of a client leaves a tombstone" },
  },
  {
    name: "versions forgotten",
    why: "an answer about an object from before versioning makes a client delete again",
    file: "src/store/s3/learnt/versions.ts",
    search: 'if (hasMarker || (seen !== undefined && seen !== "none")) this.#state.areKept = true;',
    replace: 'if (seen !== undefined) this.#state.areKept = seen !== "none";',
    caughtBy: { test: "src/store/s3/learnt/versions.spec.ts", named: "nothing takes back" },
  },
  {
    name: "tombstones written at each sweep",
    why: "each cleanup writes every tombstone of a versioned bucket again, which keeps one more version of each",
    file: "src/core/transition/remove.ts",
    search: "if (attempt.keepsVersions && record.deleted)",
    replace: "if (attempt.keepsVersions && record.deleted && record.token < 0)",
    caughtBy: { test: IN_BUCKETS, named: "writes no second time" },
  },
  {
    name: "free locks left for the width of the clock's bounds",
    why: "a cleanup that is to remove what is free at once leaves what was released a moment ago, and says nothing",
    file: "src/runtime/inspect/cleanup.ts",
    search: 'if (run.dryRun || reply.forMs > LONGEST_WAIT_MS) return "kept";',
    replace: 'if (reply.forMs >= 0) return "kept";',
    caughtBy: { test: "test/api/cleanup.test.ts", named: "released a moment ago" },
  },
  {
    name: "delete marker not looked for",
    why: "the error about a lock that cannot be had does not say which version is in the way",
    file: "src/store/s3/s3-store.ts",
    search: "return await this.#markers.explained(key, outcome, options);",
    replace: "return outcome;",
    caughtBy: { test: IN_BUCKETS, named: "with the version to remove" },
  },
  {
    name: "an operator's command without the endpoint",
    why: "the command that removes a delete marker asks AWS for a bucket that is elsewhere",
    file: "src/runtime/swap/lock-object.ts",
    search: "endpointUrl: endpoint.url, deleteMarker",
    replace: "deleteMarker",
    caughtBy: { test: IN_BUCKETS, named: "with the version to remove" },
  },
  {
    name: "delete marker not named",
    why: "the error about a lock that cannot be had speaks of a cache, where a delete marker is known to be in the way",
    file: "src/runtime/swap/snapshot.ts",
    search: "deleteMarker: outcome.deleteMarker, askedAtMs",
    replace: "askedAtMs",
    caughtBy: { test: IN_BUCKETS, named: "with the version to remove" },
  },
];
