import type { LockRecord } from "../record.js";
import type { Waiting } from "../transition/acquire.js";

/**
 * One caller's way to one grant, from its first question to the grant or to its end: what it does next (`proceed`), and what follows
 * from what happens to it meanwhile (`react`). Its driver does what is said here, and comes back with what came of it. What a grant is
 * and how it is confirmed is for the driver to know; here it is passed along.
 */

/** What one acquisition knows of itself. */
export interface AcquisitionState<Grant> {
  /** `granted`: its caller has it; `over`: its caller waits for nothing any more, and nothing is left behind. */
  readonly phase: "waiting" | "granted" | "over";
  /** What it has by the record, and what is not confirmed yet. */
  readonly granted: Grant | undefined;
  /** Whether the record may have an entry of it, or have had one. */
  readonly mayBePresent: boolean;
  /** Its last known place in the queue of the record. */
  readonly position: number | undefined;
}

/** That of an acquisition which has not asked yet. */
export const UNASKED: AcquisitionState<never> = {
  phase: "waiting",
  granted: undefined,
  mayBePresent: false,
  position: undefined,
};

/** What it comes back with. */
export type Outcome<Grant> =
  /** Nothing is under way: it begins, has rested or waited, or has to ask once more. */
  | { readonly kind: "turn" }
  /** For so long it may leave the asking to a caller of its process. */
  | { readonly kind: "trusting"; readonly forMs: number }
  /** It has asked, and has the lock by the record. */
  | { readonly kind: "granted"; readonly grant: Grant }
  /** It has asked, and another caller has the lock or comes first. */
  | { readonly kind: "queued"; readonly place: Waiting; readonly record: LockRecord | undefined }
  /** The grant had gone before it was confirmed. */
  | { readonly kind: "gone" };

/** What it does next. */
export type Next<Grant> =
  | { readonly do: "confirm"; readonly grant: Grant }
  /** See for how long it may leave the asking to others of its process. */
  | { readonly do: "look-around" }
  | { readonly do: "rest"; readonly forMs: number }
  | { readonly do: "ask" }
  /** Wait until it is time for a poll, and poll, as long as it {@link isWanting}; `tell` of the place, where that is news. */
  | {
      readonly do: "wait";
      readonly place: Waiting;
      readonly record: LockRecord | undefined;
      readonly tell: "enqueued" | "position" | undefined;
    }
  | { readonly do: "end" };

export function proceed<Grant>(
  state: AcquisitionState<Grant>,
  outcome: Outcome<Grant>,
): { readonly state: AcquisitionState<Grant>; readonly next: Next<Grant> } {
  switch (outcome.kind) {
    case "turn":
      return turn(state);
    case "trusting":
      return { state, next: outcome.forMs > 0 ? { do: "rest", forMs: outcome.forMs } : { do: "ask" } };
    case "granted":
      return turn({ ...state, granted: outcome.grant, mayBePresent: true });
    case "queued":
      return queued(state, outcome.place, outcome.record);
    case "gone":
      return turn<Grant>({ ...state, granted: undefined });
  }
}

/** Says whether an acquisition can still use a grant. */
export function isWanting<Grant>({ phase, granted }: AcquisitionState<Grant>): boolean {
  return phase === "waiting" && granted === undefined;
}

function turn<Grant>(state: AcquisitionState<Grant>): ReturnType<typeof proceed<Grant>> {
  if (state.phase === "over") return { state, next: { do: "end" } };
  const { granted: grant } = state;
  return { state, next: grant === undefined ? { do: "look-around" } : { do: "confirm", grant } };
}

function queued<Grant>(
  before: AcquisitionState<Grant>,
  place: Waiting,
  record: LockRecord | undefined,
): ReturnType<typeof proceed<Grant>> {
  const { enqueued, position } = place;
  const isNews = enqueued && position !== before.position;
  const tell = isNews ? (before.position === undefined ? "enqueued" : "position") : undefined;
  const state = {
    ...before,
    mayBePresent: before.mayBePresent || enqueued,
    position: isNews ? position : before.position,
  };
  return { state, next: { do: "wait", place, record, tell } };
}

/** What happens to it, whatever it is doing. */
export type Happening<Grant> =
  /** It saw itself in the record. */
  | { readonly kind: "listed" }
  /** A holder of its process has passed the lock on to it. */
  | { readonly kind: "handed"; readonly grant: Grant }
  /** A holder of its process could not do that, and may have taken a place in the queue for it. */
  | { readonly kind: "placed"; readonly enqueued: boolean }
  /** A transfer to it was tried, and it is not known what became of that. */
  | { readonly kind: "transfer-unknown" }
  /** Its grant was confirmed, and is the caller's. */
  | { readonly kind: "confirmed" }
  /** It has ended without a grant: out of patience, stopped, or failed. */
  | { readonly kind: "ended" }
  /** Its caller does not wait for the outcome any more. */
  | { readonly kind: "given-up" };

/** What follows from that, at once and in this order. */
export type Effect =
  /** Leave nothing behind; `listed`: only a write tells that the record has no entry of it. */
  | { readonly do: "clear-up"; readonly entry: "listed" | "none" }
  /** Let nothing new be sent for it. */
  | { readonly do: "stop" }
  /** End its rest or its wait. */
  | { readonly do: "wake" }
  /** Say whether a grant is under way. */
  | { readonly do: "tell-asking"; readonly isUnderWay: boolean };

interface Reaction<Grant> {
  readonly state: AcquisitionState<Grant>;
  readonly effects: readonly Effect[];
}

export function react<Grant>(state: AcquisitionState<Grant>, happening: Happening<Grant>): Reaction<Grant> {
  switch (happening.kind) {
    case "listed":
      return { state: { ...state, mayBePresent: true }, effects: [] };
    case "handed":
      return received({ ...state, mayBePresent: true }, happening.grant);
    case "placed":
      return received({ ...state, mayBePresent: state.mayBePresent || happening.enqueued }, undefined);
    case "transfer-unknown":
      return { state: { ...state, mayBePresent: true }, effects: [{ do: "wake" }] };
    case "confirmed":
      return state.phase === "waiting" ? { state: { ...state, phase: "granted" }, effects: [] } : cleared(state);
    case "ended":
      return cleared(state);
    case "given-up": {
      const undone = state.phase === "granted" ? cleared(state).effects : [];
      return { state: { ...state, phase: "over" }, effects: [...undone, { do: "stop" }, { do: "wake" }] };
    }
  }
}

function received<Grant>(state: AcquisitionState<Grant>, grant: Grant | undefined): Reaction<Grant> {
  // It has seen itself in the record, and taken up what it has by that, before the transfer was answered.
  if (state.phase === "granted") return { state, effects: [] };
  if (state.phase === "over") return cleared(state);
  const isUnderWay = grant !== undefined;
  const effects = [{ do: "tell-asking", isUnderWay }, { do: "wake" }] as const;
  return { state: isUnderWay ? { ...state, granted: grant } : state, effects };
}

function cleared<Grant>(state: AcquisitionState<Grant>): Reaction<Grant> {
  const entry = state.mayBePresent ? "listed" : "none";
  return { state: { ...state, phase: "over" }, effects: [{ do: "clear-up", entry }] };
}
