import type { ReadOutcome, RemoveOutcome, RequestOptions, WriteOutcome } from "../../object-store.js";
import type { Bare404, NoEtag } from "../answers/unproven.js";

export interface PutCondition {
  readonly IfMatch?: string;
  readonly IfNoneMatch?: string;
}

export type DeleteOutcome = Exclude<RemoveOutcome, { kind: "unsupported" | "versioned" }>;

/** The requests about one key, each one transmission, with ETags as they are to be sent. */
export interface KeyRequests {
  get(key: string, ifNoneMatch: string | undefined, options: RequestOptions): Promise<ReadOutcome | Bare404 | NoEtag>;
  put(key: string, body: string, condition: PutCondition, options: RequestOptions): Promise<WriteOutcome>;
  delete(key: string, ifMatch: string | undefined, options: RequestOptions): Promise<DeleteOutcome>;
}
