import { isCount, isObject, parseJson } from "./json.js";

/**
 * What a fenced object is in the bucket: its content, and who has written it, in one body. A stamp has to change the body:
 * on most stores the ETag is a hash of it, and metadata would leave it as it was.
 */
export interface Envelope extends Content {
  /** The version of this format. */
  readonly fenced: typeof FENCED_SCHEMA;
  /** The lock that the object belongs to: `s3://`, its bucket and its key. */
  readonly lock: string;
  /** The fencing token of the last holder who opened or changed the object; never falls. */
  readonly token: number;
  /** Fresh in every version, so that no two have the same ETag. */
  readonly writeId: string;
  /** The change that made this content; stamps leave it as it is. So a change whose answer was lost is recognised. */
  readonly changeId: string;
  /** The last few holders who opened it, newest first, and the change that each of them found. */
  readonly openings: readonly Opening[];
}

/** What a holder found when it opened the object: all that older ones had done. */
export interface Opening {
  readonly token: number;
  readonly changeId: string;
}

/** How many openings an envelope remembers: who was fenced out by so many holders cannot learn any more what became of its last change. */
export const REMEMBERED_OPENINGS = 4;

/** JSON or bytes; neither where there is no content: never written, or deleted. */
export interface Content {
  readonly content?: unknown;
  readonly base64?: string;
}

export const FENCED_SCHEMA = 1;

/** What lies under the key of a fenced object. */
export type FoundObject =
  | { readonly kind: "absent" }
  | { readonly kind: "envelope"; readonly envelope: Envelope }
  | { readonly kind: "newer-schema"; readonly schema: number }
  /** Something that was written by other means; no body where it is too large to be read. */
  | { readonly kind: "foreign"; readonly body: string | undefined };

/** Reads the body of an object. Unknown fields survive, as in a lock record. */
export function parseEnvelope(body: string): FoundObject {
  const json = parseJson(body);
  const foreign = { kind: "foreign", body } as const;
  if (!isObject(json) || !isCount(json["fenced"])) return foreign;
  const { fenced, lock, token, writeId, changeId, openings, base64 = "" } = json;
  if (json["fenced"] > FENCED_SCHEMA) return { kind: "newer-schema", schema: json["fenced"] };
  const areTexts = [lock, writeId, changeId, base64].every((text) => typeof text === "string");
  const areOpenings = Array.isArray(openings) && openings.every(isOpening);
  return fenced === FENCED_SCHEMA && isCount(token) && areTexts && areOpenings
    ? { kind: "envelope", envelope: json as unknown as Envelope }
    : foreign;
}

export function serializeEnvelope(envelope: Envelope): string {
  return JSON.stringify(envelope);
}

/** Reads content, as JSON or text, from a body that was written by other means; undefined where it is not that. */
export function adoptedContent(body: string | undefined, as: "json" | "text"): Content | undefined {
  // Where the body was not UTF-8, each byte that was not has become this.
  if (body === undefined || body.includes("\ufffd")) return undefined;
  if (as === "text") return { content: body };
  const content = parseJson(body);
  return content === undefined ? undefined : { content };
}

function isOpening(value: unknown): boolean {
  const { token, changeId } = (value ?? {}) as Partial<Opening>;
  return isCount(token) && typeof changeId === "string";
}
