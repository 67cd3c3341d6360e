import {
  adoptedContent,
  type Content,
  type Envelope,
  FENCED_SCHEMA,
  type FoundObject,
  type Opening,
  REMEMBERED_OPENINGS,
} from "../envelope.js";

/** The lock and the token by which a holder uses a fenced object. */
export interface Fence {
  readonly lock: string;
  readonly token: number;
}

/** Why a holder may not use an object. */
export type Refusal =
  /** A holder with a newer token has opened it. */
  | { readonly kind: "fenced-out"; readonly token: number; readonly maybeApplied: boolean }
  | { readonly kind: "other-lock"; readonly lock: string }
  | { readonly kind: "newer-schema"; readonly schema: number }
  /** It was written by other means, and is not to be adopted, or cannot be. */
  | { readonly kind: "foreign" }
  /** It was there and is gone, and with it the token that would have shut out older holders. */
  | { readonly kind: "removed" };

export interface OpenCommand extends Fence {
  readonly writeId: string;
  /** The writes by which this holder has tried to open it so far. */
  readonly attempted: ReadonlySet<string>;
  /** This holder has had it open before. */
  readonly isReopening: boolean;
  readonly adopt: "json" | "text" | undefined;
}

export type OpenDecision =
  | { readonly kind: "opened"; readonly envelope: Envelope }
  | { readonly kind: "write"; readonly envelope: Envelope }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Stamps the object with the token: from then on, no write of an older holder can land. */
export function openFenced(found: FoundObject, command: OpenCommand): OpenDecision {
  if (found.kind === "absent") return command.isReopening ? refused({ kind: "removed" }) : created({}, command);
  if (found.kind === "foreign") return adopted(found.body, command);
  if (found.kind === "newer-schema") return refused(found);
  const { envelope } = found;
  const refusal = refusalBy(envelope, command);
  if (refusal !== undefined) return refused(refusal);
  if (command.attempted.has(envelope.writeId)) return { kind: "opened", envelope };
  const { token, writeId } = command;
  const openings = envelope.openings[0]?.token === token ? envelope.openings : openedBy(token, envelope);
  return { kind: "write", envelope: { ...envelope, token, writeId, openings } };
}

/** Adopts a body only for the holder that opens it for the first time: what has lost its envelope since was overwritten. */
function adopted(body: string | undefined, command: OpenCommand): OpenDecision {
  const { adopt, isReopening } = command;
  const content = adopt === undefined || isReopening ? undefined : adoptedContent(body, adopt);
  return content === undefined ? refused({ kind: "foreign" }) : created(content, command);
}

function created(content: Content, { lock, token, writeId }: OpenCommand): OpenDecision {
  const openings = [{ token, changeId: writeId }];
  const envelope = { fenced: FENCED_SCHEMA, lock, token, writeId, changeId: writeId, openings, ...content } as const;
  return { kind: "write", envelope };
}

function openedBy(token: number, { changeId, openings }: Envelope): readonly Opening[] {
  return [{ token, changeId }, ...openings].slice(0, REMEMBERED_OPENINGS);
}

/** Makes the next version with other content, as this token's. */
export function changedEnvelope(
  base: Envelope,
  content: Content,
  stamp: Pick<Envelope, "token" | "writeId" | "changeId">,
): Envelope {
  const { content: _, base64: __, ...rest } = base;
  return { ...rest, ...stamp, ...content };
}

export type ChangeDecision =
  /** It was made; no envelope where a newer holder has stamped it since, which is not to be built upon. */
  | { readonly kind: "done"; readonly envelope: Envelope | undefined }
  /** Nothing that was sent so far has landed, and it is to be sent again on this version. */
  | { readonly kind: "again"; readonly envelope: Envelope }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/**
 * Finds out what has become of a change that was not answered by a success, from what is there now. All of its
 * writes were conditioned on `base` or on a version with the same content: where a newer holder has found that,
 * none of them has landed and none can; where it is still there, none has.
 */
export function resolveChange(
  found: FoundObject,
  { base, changeId, ...fence }: Fence & { readonly base: Envelope; readonly changeId: string },
): ChangeDecision {
  const refusal = refusalOf(found, fence);
  if (found.kind !== "envelope") return refused(refusal ?? { kind: "removed" });
  const { envelope } = found;
  const seen = changesSince(envelope, fence.token);
  if (seen.includes(changeId)) return { kind: "done", envelope: refusal === undefined ? envelope : undefined };
  const isUntouched = seen.includes(base.changeId);
  if (refusal?.kind === "fenced-out") return refused({ ...refusal, maybeApplied: !isUntouched });
  if (refusal !== undefined) return refused(refusal);
  // Only we write with this token, one change at a time: another version was put back.
  if (!isUntouched) return refused({ kind: "fenced-out", token: envelope.token, maybeApplied: true });
  return { kind: "again", envelope };
}

/** Lists the change that is there now, and those that newer holders have found. */
function changesSince({ changeId, openings }: Envelope, token: number): readonly string[] {
  return [changeId, ...openings.filter((opening) => opening.token > token).map((opening) => opening.changeId)];
}

/** Says why a holder of this token may not use what is there; undefined where it may. */
export function refusalOf(found: FoundObject, fence: Fence): Refusal | undefined {
  if (found.kind === "absent") return undefined;
  if (found.kind === "foreign") return { kind: "foreign" };
  return found.kind === "newer-schema" ? found : refusalBy(found.envelope, fence);
}

function refusalBy(envelope: Envelope, { lock, token }: Fence): Refusal | undefined {
  if (envelope.lock !== lock) return { kind: "other-lock", lock: envelope.lock };
  if (envelope.token <= token) return undefined;
  return { kind: "fenced-out", token: envelope.token, maybeApplied: false };
}

function refused(refusal: Refusal): { readonly kind: "refused"; readonly refusal: Refusal } {
  return { kind: "refused", refusal };
}
