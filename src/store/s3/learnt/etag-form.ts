import {
  type EtagFormHint,
  type ReadOptions,
  type ReadOutcome,
  type RefusedOutcome,
  type RequestOptions,
  type UnknownOutcome,
  versioningOf,
  type WriteOutcome,
} from "../../object-store.js";
import { inForm, shapeOf, strongEtag, unsafe } from "../answers/etag-shape.js";
import type { EtagForm, EtagFormState } from "../client/client-state.js";
import { inconclusive, type ProbeDeps, ProbeObject } from "./probe-object.js";
import { type Explanation, explain, notReproduced } from "./reshaped-etags.js";

/** Enough to remember the keys in use while the form is open; it is settled by the first write that succeeds. */
const MAX_SUSPECTS = 1_000;

type FormResult = { readonly kind: "form"; readonly form: EtagForm } | UnknownOutcome | RefusedOutcome;

/**
 * Which form of an ETag the store compares: quoted as it returned it, as the standard says, or without quotes (Ceph 16,
 * DigitalOcean). The other form is used only after a probe in which it won where the first lost, and then failed when
 * stale: one of this process, or of another one whose check of the store is believed.
 */
export class EtagForms implements EtagFormHint {
  readonly #state: EtagFormState;
  readonly #deps: ProbeDeps;

  constructor(state: EtagFormState, deps: ProbeDeps) {
    this.#state = state;
    this.#deps = deps;
  }

  known(): "unquoted" | undefined {
    return this.#state.form === "unquoted" ? "unquoted" : undefined;
  }

  /** Takes over a form that was only heard of: until a write has shown that it holds, it is dropped by what may be its fault. */
  believe(form: "unquoted"): void {
    const { settled, probe, suspects } = this.#state;
    // What has been seen here, or is being found out, is of today.
    if (!settled && probe === undefined && suspects.size === 0) this.#state.form = form;
  }

  inCondition(etag: string): string {
    return inForm(this.#state.form, this.normal(etag));
  }

  /** Gives the one text for a version, however it is shown; as it is where no probe has explained the way it is shown. */
  normal(etag: string): string {
    const { core, shape } = shapeOf(etag);
    return this.#state.shapes.get(shape) === "strong" ? strongEtag(core) : etag;
  }

  /**
   * Takes an ETag that the store has shown: gives what goes by it further on, or says why nothing can. One of an odd shape is explained by
   * a probe first: it would never be recognised in a condition, nor as the version that another answer showed.
   */
  async accept(etag: string, options: RequestOptions): Promise<string | UnknownOutcome | RefusedOutcome> {
    const { shape } = shapeOf(etag);
    const { shapes } = this.#state;
    if (shape === "" || shapes.has(shape)) return this.normal(etag);
    const running = this.#state.shapeProbe as Promise<Explanation> | undefined;
    const probe = running ?? this.#explain(etag, options);
    this.#state.shapeProbe = probe;
    const result = await probe;
    if (shapes.has(shape)) return this.normal(etag);
    return result.kind === "explained" ? notReproduced(etag) : result;
  }

  async #explain(etag: string, options: RequestOptions): Promise<Explanation> {
    try {
      const result = await explain(etag, new ProbeObject(this.#deps, options));
      if (result.kind !== "explained") return result;
      if (result.form !== undefined) this.#settle(result.form);
      for (const [shape, meaning] of result.shapes) this.#state.shapes.set(shape, meaning);
      return result;
    } finally {
      this.#state.shapeProbe = undefined;
    }
  }

  /** Sends a read that asks for what is not this version. */
  async reading<Outcome extends { readonly kind: string }>(
    etag: string | undefined,
    send: (ifNoneMatch: string | undefined) => Promise<Outcome>,
  ): Promise<Outcome> {
    if (etag === undefined) return await send(undefined);
    const { form } = this.#state;
    const outcome = await send(this.inCondition(etag));
    return this.#drop(form, outcome) ? await send(this.inCondition(etag)) : outcome;
  }

  /** Sends a write over this version. */
  async writing(
    { key, etag }: { readonly key: string; readonly etag: string },
    send: (ifMatch: string) => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const { form } = this.#state;
    const outcome = await send(this.inCondition(etag));
    if (outcome.kind === "ok") this.#won(form);
    if (outcome.kind === "conflict") this.#lost(key, etag);
    // It was refused, so it has done nothing, and in the other form it may pass.
    return this.#drop(form, outcome) ? await this.writing({ key, etag }, send) : outcome;
  }

  /** Drops a form that was only heard of, after anything that it may be the reason for. @returns whether the same may be sent again */
  #drop(form: EtagForm, { kind }: { readonly kind: string }): boolean {
    if (this.#state.settled || form === "as-returned") return false;
    if (kind !== "refused" && kind !== "unknown") return false;
    this.#state.form = "as-returned";
    return kind === "refused";
  }

  /** Notes that a conditional write that was sent in this form has succeeded. */
  #won(form: EtagForm): void {
    if (form === this.#state.form) this.#settle(form);
  }

  /** Notes that a conditional write of this ETag was answered with a conflict. */
  #lost(key: string, etag: string): void {
    const { settled, suspects } = this.#state;
    if (settled) return;
    suspects.delete(key);
    suspects.set(key, etag);
    const [oldest] = suspects.keys();
    if (suspects.size > MAX_SUSPECTS && oldest !== undefined) suspects.delete(oldest);
  }

  /** Judges what a read has shown: if a write of the same ETag was a conflict, the form may be why. */
  async shown(key: string, outcome: ReadOutcome, options: ReadOptions): Promise<ReadOutcome> {
    const { ifNoneMatch } = options;
    const etag = outcome.kind === "unchanged" ? ifNoneMatch : "etag" in outcome ? outcome.etag : undefined;
    if (etag === undefined) return outcome;
    const refused = await this.#seen(key, etag, options);
    if (refused !== undefined) return refused;
    // Stores that do not know the form, or the header, answer in full.
    if (outcome.kind === "ok" && etag === ifNoneMatch) return { kind: "unchanged", timing: outcome.timing };
    return outcome;
  }

  async #seen(key: string, etag: string, options: RequestOptions): Promise<RefusedOutcome | undefined> {
    const { suspects } = this.#state;
    if (suspects.get(key) !== etag) return undefined;
    suspects.delete(key);
    const result = await this.settle(options);
    return result?.kind === "refused" ? result : undefined;
  }

  /** Finds out which form it is, unless that is known; concurrent calls share one probe. */
  async settle(options: RequestOptions): Promise<UnknownOutcome | RefusedOutcome | undefined> {
    if (this.#state.settled) return undefined;
    const running = this.#state.probe as Promise<FormResult> | undefined;
    const probe = running ?? this.#probe(options);
    this.#state.probe = probe;
    const result = await probe;
    if (this.#state.settled) return undefined;
    if (result.kind !== "form") return result;
    this.#settle(result.form);
    return undefined;
  }

  #settle(form: EtagForm): void {
    this.#state.form = form;
    this.#state.settled = true;
    this.#state.suspects.clear();
  }

  async #probe(options: RequestOptions): Promise<FormResult> {
    try {
      const object = new ProbeObject(this.#deps, options);
      const result = await formOf(object);
      await object.cleanUp();
      return result;
    } finally {
      this.#state.probe = undefined;
    }
  }
}

async function formOf(object: ProbeObject): Promise<FormResult> {
  const created = await object.create();
  if (created.kind === "refused") return created;
  if (created.kind !== "ok") return inconclusive("create", created);
  const { etag } = created;
  const quoted = await object.replace(etag);
  if (quoted.kind === "ok") return { kind: "form", form: "as-returned" };
  if (quoted.kind !== "conflict") return quoted.kind === "refused" ? quoted : inconclusive("If-Match", quoted);
  const bare = inForm("unquoted", etag);
  const unquoted = await object.replace(bare);
  if (unquoted.kind === "ok") {
    const stale = await object.replace(bare);
    if (stale.kind === "conflict") return { kind: "form", form: "unquoted" };
    if (stale.kind !== "ok") return inconclusive("stale If-Match", stale);
    return unsafe("it accepts an If-Match with an ETag that is no longer the object's", versioningOf(created));
  }
  if (unquoted.kind !== "conflict") return inconclusive("unquoted If-Match", unquoted);
  // One conflict can be chance (409); that the right ETag is refused three times is not.
  const again = await object.replace(etag);
  if (again.kind === "ok") return { kind: "form", form: "as-returned" };
  if (again.kind !== "conflict") return inconclusive("If-Match", again);
  return unsafe("it refuses an If-Match with the object's own ETag, with quotes and without", versioningOf(created));
}
