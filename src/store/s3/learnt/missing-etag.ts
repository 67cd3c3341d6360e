import type { RefusedOutcome, RequestOptions, UnknownOutcome } from "../../object-store.js";
import { unsafe } from "../answers/etag-shape.js";
import type { NoEtag } from "../answers/unproven.js";
import { type ProbeDeps, ProbeObject } from "./probe-object.js";

/**
 * Whether reads that come without an ETag are the store's own, as behind a proxy that takes the header away: no lock can be held by
 * such answers, and to ask again changes nothing. A portal answers everything without one, too. So an object of our own is written and
 * read: who shows its body is the store, or passes on what the store says.
 */
export class MissingEtags {
  readonly #deps: ProbeDeps;
  #probe: Promise<boolean> | undefined;

  constructor(deps: ProbeDeps) {
    this.#deps = deps;
  }

  async judge({ outcome }: NoEtag, options: RequestOptions): Promise<UnknownOutcome | RefusedOutcome> {
    this.#probe ??= this.#isOfStore(options).finally(() => {
      this.#probe = undefined;
    });
    return (await this.#probe) ? withoutEtag() : outcome;
  }

  async #isOfStore(options: RequestOptions): Promise<boolean> {
    const object = new ProbeObject(this.#deps, options);
    const created = await object.create();
    // Behind what takes the header away, the answer to the write has none either, and says nothing.
    const mayBeThere = created.kind === "ok" || (created.kind === "unknown" && created.sent);
    if (!mayBeThere) return false;
    const found = await object.read();
    await object.cleanUp();
    return found.kind === "no-etag" && found.body === object.body;
  }
}

export function withoutEtag(): RefusedOutcome {
  return unsafe(
    "reads of it show no ETag, so that a write cannot say which version it replaces; a proxy or an edge in between may take the header away",
  );
}
