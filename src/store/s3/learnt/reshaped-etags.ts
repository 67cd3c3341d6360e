import { type RefusedOutcome, type UnknownOutcome, versioningOf, type WriteOutcome } from "../../object-store.js";
import { inForm, shapeOf, strongEtag, unsafe } from "../answers/etag-shape.js";
import { unavailable } from "../answers/outcomes.js";
import type { EtagForm, ShapeMeaning } from "../client/client-state.js";
import { withoutEtag } from "./missing-etag.js";
import { inconclusive, type ProbeObject } from "./probe-object.js";

export type Explanation =
  | {
      readonly kind: "explained";
      readonly shapes: ReadonlyMap<string, ShapeMeaning>;
      /** The form that conditions want, where that was found out on the way. */
      readonly form?: EtagForm;
    }
  | UnknownOutcome
  | RefusedOutcome;

/** Servers that compress leave short bodies alone. */
const PAD_BYTES = 4_096;

/**
 * Finds out what an ETag like this one stands for. A proxy or an edge that compresses shows `W/"x"` or `"x-gzip"` where the store has
 * `"x"`, and the store recognises only its own. So a probe object is written and read: what the two answers have in common is the ETag, if
 * a condition with it wins and then fails when it is stale.
 */
export async function explain(etag: string, object: ProbeObject): Promise<Explanation> {
  const created = await object.create(PAD_BYTES);
  if (created.kind === "refused") return created;
  if (created.kind !== "ok") return inconclusive("create", created);
  const result = await explained(etag, object, created.etag);
  await object.cleanUp();
  return result;
}

async function explained(etag: string, object: ProbeObject, written: string): Promise<Explanation> {
  const found = await object.read();
  if (found.kind === "no-etag") return withoutEtag();
  if (found.kind !== "ok") return found.kind === "refused" ? found : inconclusive("read", found);
  const shown = found.etag;
  const [ofWrite, ofRead] = [shapeOf(written), shapeOf(shown)];
  if (ofWrite.core !== ofRead.core) {
    return unsafe(`a read shows the ETag ${shown} for what a write was answered ${written}`);
  }
  const { shape } = shapeOf(etag);
  if (shape !== ofWrite.shape && shape !== ofRead.shape) return notReproduced(etag);

  const asShown = await trial(object, shown);
  if (asShown.kind === "failed") return asShown.outcome;
  if (asShown.kind === "won" && ofWrite.shape === ofRead.shape) {
    return { kind: "explained", shapes: new Map([[shape, "literal"]]) };
  }
  let { core } = ofWrite;
  if (asShown.kind === "won") core = shapeOf(asShown.etag).core;
  for (const form of ["as-returned", "unquoted", "as-returned"] as const) {
    const tried = await trial(object, inForm(form, strongEtag(core)));
    if (tried.kind === "failed") return tried.outcome;
    if (tried.kind === "lost") continue;
    const odd = [ofWrite.shape, ofRead.shape].filter((one) => one !== "");
    return { kind: "explained", form, shapes: new Map(odd.map((one) => [one, "strong"])) };
  }
  return unsafe(
    `reads show ETags as ${shown}, and it refuses an If-Match with that or with the strong ETag under it`,
    versioningOf(found),
  );
}

type Trial =
  | { readonly kind: "won"; readonly etag: string }
  | { readonly kind: "lost" }
  | { readonly kind: "failed"; readonly outcome: UnknownOutcome | RefusedOutcome };

/** Finds out whether a condition is recognised: it wins, and it fails once it is stale. */
async function trial(object: ProbeObject, condition: string): Promise<Trial> {
  const first = await object.replace(condition);
  if (first.kind === "conflict") return { kind: "lost" };
  if (first.kind !== "ok") return failed("If-Match", first);
  const stale = await object.replace(condition);
  if (stale.kind === "conflict") return { kind: "won", etag: first.etag };
  if (stale.kind !== "ok") return failed("stale If-Match", stale);
  return {
    kind: "failed",
    outcome: unsafe("it accepts an If-Match with an ETag that is no longer the object's", versioningOf(first)),
  };
}

function failed(step: string, outcome: WriteOutcome): Trial {
  return { kind: "failed", outcome: outcome.kind === "refused" ? outcome : inconclusive(step, outcome) };
}

/** Describes what was not seen again: something shows such ETags now and then, and which condition would be recognised is not known. */
export function notReproduced(etag: string): UnknownOutcome {
  const message = `The store showed the ETag ${etag}, which conditions may not recognise, and no such one for a probe: something in between changes ETags, such as a proxy that compresses`;
  return { kind: "unknown", error: unavailable(message), throttled: false, sent: true };
}
