import type {
  ReadOutcome,
  RefusedAbout,
  RefusedOutcome,
  RemoveOutcome,
  RequestOptions,
  UnknownOutcome,
} from "../../object-store.js";
import type { Transmission } from "../answers/transmission.js";
import type { BucketState } from "../client/client-state.js";
import type { Absence } from "./absence.js";
import type { EtagForms } from "./etag-form.js";
import type { DeleteOutcome } from "./key-requests.js";
import { inconclusive, type ProbeDeps, ProbeObject } from "./probe-object.js";
import type { Versions } from "./versions.js";

export type DeleteSupport =
  | { readonly kind: "honoured" }
  | { readonly kind: "unsupported" }
  | typeof DENIED
  | UnknownOutcome
  | RefusedOutcome;

/** The client may not delete, which may change. */
const DENIED = { kind: "denied" } as const;

/**
 * Programs whose conditional DELETE holds one after the other and not beside a PUT, which no probe shows: in 2 of 30 rounds of 16 racers both
 * won (versitygw 1.8.0), and in one examination of five on `rclone serve s3` (1.76.0), which checks before it locks. What is deleted then may be
 * held again, so it is not used there.
 */
const RACING = /^(?:VERSITYGW|gofakes3)\b/i;

/** Finds which program sent this, by what others do not send: `rclone serve s3`, which is made of gofakes3, calls itself AmazonS3. */
export function programIn({ headers = {} }: Transmission): string | undefined {
  const deniesMarker = headers["x-amz-delete-marker"] === "false" && headers["x-amz-version-id"] === undefined;
  return deniesMarker ? "gofakes3" : undefined;
}

/** Says whether this program, or one that calls itself that, is known to delete what another has just replaced. */
export function deletesMayRace(server: string | undefined): boolean {
  return RACING.test(server ?? "");
}

/** What the probe asks with. */
export interface DeleteProbe {
  /** Which program the store is, as far as that was seen, or what it calls itself. */
  readonly server: () => string | undefined;
  readonly forms: EtagForms;
  readonly absence: Absence;
  readonly deps: ProbeDeps;
}

/** Deletes this version of an object, where the bucket keeps no versions and the store honours the condition. */
export async function removeIfHonoured(
  { key, etag }: { readonly key: string; readonly etag: string },
  versions: Versions,
  state: Pick<BucketState, "conditionalDelete">,
  asking: DeleteProbe,
  options: RequestOptions,
): Promise<RemoveOutcome> {
  if (versions.areKept) return { kind: "versioned" };
  const support = await conditionalDeleteSupport(state, asking, options);
  // Where versioning is suspended, it may be the answers to the probe's own deletions that tell, and no others.
  if (versions.areKept) return { kind: "versioned" };
  if (support.kind === "denied") return { kind: "unsupported" };
  if (support.kind !== "honoured") return support;
  const removed = await asking.deps.requests.delete(key, asking.forms.inCondition(etag), options);
  return isDenied(removed) ? { kind: "unsupported" } : removed;
}

/** Says whether the right to delete is missing, as it may for good: then objects stay, as where the store cannot remove them safely. */
function isDenied({ about }: { readonly kind: string; readonly about?: RefusedAbout }): boolean {
  return about === "permissions";
}

/**
 * Finds out whether the store honours If-Match on DELETE, once per client and bucket: some ignore it and delete what another client has
 * just written. A probe without a certain result is not remembered.
 */
export async function conditionalDeleteSupport(
  state: Pick<BucketState, "conditionalDelete">,
  asking: DeleteProbe,
  options: RequestOptions,
): Promise<DeleteSupport> {
  if (deletesMayRace(asking.server())) return { kind: "unsupported" };
  const running = state.conditionalDelete as Promise<DeleteSupport> | undefined;
  const probe = running ?? probeDelete(asking, options);
  state.conditionalDelete = probe;
  const support = await probe;
  const certain = support.kind === "honoured" || support.kind === "unsupported";
  if (!certain && state.conditionalDelete === probe) state.conditionalDelete = undefined;
  return support;
}

async function probeDelete(
  { server, forms, absence, deps }: DeleteProbe,
  options: RequestOptions,
): Promise<DeleteSupport> {
  const object = new ProbeObject(deps, options);
  // Before anything is created: what cannot be deleted again would stay, one for each probe.
  if (isDenied(await object.deleteNothing())) return DENIED;
  const unsettled = await forms.settle(options);
  if (unsettled !== undefined) return unsettled;
  const read = async (): Promise<ReadOutcome> => {
    const outcome = await object.read();
    if (outcome.kind === "no-etag") return outcome.outcome;
    return outcome.kind === "bare-404" ? absence.judge(outcome, options) : outcome;
  };
  const support = await supportOf(object, forms, read);
  if (support.kind !== "honoured") await object.cleanUp();
  // Its name may have come with the answers to the probe only.
  return deletesMayRace(server()) ? { kind: "unsupported" } : support;
}

async function supportOf(
  object: ProbeObject,
  forms: EtagForms,
  read: () => Promise<ReadOutcome>,
): Promise<DeleteSupport> {
  const created = await object.create();
  if (created.kind === "refused") return created;
  if (created.kind !== "ok") return inconclusive("create", created);
  const replaced = await object.replace(forms.inCondition(created.etag));
  if (replaced.kind === "refused") return replaced;
  if (replaced.kind !== "ok") return inconclusive("replace", replaced);

  const stale = await object.delete(forms.inCondition(created.etag));
  if (stale.kind !== "conflict") return unexpected(stale);
  const kept = await read();
  if (kept.kind === "absent") return { kind: "unsupported" };
  if (kept.kind !== "ok") return inconclusive("read", kept);

  const current = await object.delete(forms.inCondition(replaced.etag));
  const gone =
    current.kind === "ok" || current.kind === "conflict" || current.kind === "absent" ? await read() : current;
  // Refused and gone: it was sent twice, and the second one was answered. Another probe will tell.
  if (current.kind !== "ok" && gone.kind === "absent") return inconclusive("delete", current);
  if (current.kind !== "ok") return unexpected(current);
  if (gone.kind === "absent") return { kind: "honoured" };
  return gone.kind === "ok" ? { kind: "unsupported" } : inconclusive("read", gone);
}

/** Tells a denial, which is about rights and may be lifted, from any other refusal: that is the store saying that it cannot do this. */
function unexpected(outcome: DeleteOutcome): DeleteSupport {
  if (isDenied(outcome)) return DENIED;
  if (outcome.kind === "unknown") return outcome;
  if (outcome.kind === "refused" && outcome.error.code !== "store-unsafe") return outcome;
  return { kind: "unsupported" };
}
