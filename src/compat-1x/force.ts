import { checkBoolean, checkOptions, checkString, withDefault } from "../arguments/checks.js";
import { invalidArgument } from "../arguments/invalid-argument.js";
import { FORCE_OPTIONS, type ForceOptions } from "../primitives/call-options.js";

/** Whose holds a call may end. */
export type Force =
  | { readonly isForced: false }
  /** `seen`: the holders that the caller saw; undefined: all that hold the lock. */
  | { readonly isForced: true; readonly seen: ReadonlySet<string> | undefined };

/** Checks whose holds a call may end: a word for "whatever holder it has", as in 1.x, or the holders that the caller has seen. */
export function checkForce(value: unknown): Force {
  if (typeof value !== "object" || value === null) return forceOf(checkBoolean("force", value), undefined);
  const given: Partial<Record<keyof ForceOptions, unknown>> = value;
  const { force, holderIds } = checkOptions("options", given, FORCE_OPTIONS);
  return forceOf(withDefault("force", force, false, checkBoolean), holderIds);
}

function forceOf(isForced: boolean, holderIds: unknown): Force {
  if (holderIds === undefined) return isForced ? { isForced, seen: undefined } : { isForced };
  if (!isForced) throw invalidArgument("holderIds", holderIds, "it says whose holds to end by force; add force: true");
  if (!Array.isArray(holderIds)) {
    throw invalidArgument(
      "holderIds",
      holderIds,
      "use an array of the acquisitionId of each holder that inspect() shows",
    );
  }
  return { isForced, seen: new Set(holderIds.map((id, index) => checkString(`holderIds[${index}]`, id))) };
}
