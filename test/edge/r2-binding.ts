import { createHash } from "node:crypto";
import type { R2Binding, R2Condition, R2Found } from "../../src/r2/index.js";

/** What a binding does, as `npm run runtimes` finds it in miniflare; it answers after `delayMs`. */
export class Binding implements R2Binding {
  readonly objects = new Map<string, string>();
  calls = 0;
  delayMs = 1;
  /** What the next calls throw in place of an answer, after they were done. */
  failure: Error | undefined;
  readonly cancelled: string[] = [];

  async get(key: string, { onlyIf }: { readonly onlyIf?: R2Condition } = {}): Promise<R2Found | null> {
    await this.#answer();
    const stored = this.#found(key);
    if (stored === null || !this.#holds(key, onlyIf)) return stored;
    const text = this.objects.get(key) ?? "";
    const cancel = async () => void this.cancelled.push(key);
    return { ...stored, body: { cancel }, text: async () => text };
  }

  async put(key: string, value: string, { onlyIf }: { readonly onlyIf?: R2Condition } = {}) {
    const holds = this.#holds(key, onlyIf);
    if (holds) this.objects.set(key, value);
    const stored = this.#found(key);
    await this.#answer();
    return holds ? stored : null;
  }

  async list({ prefix = "", cursor }: { readonly prefix?: string; readonly cursor?: string } = {}) {
    await this.#answer();
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const from = cursor === undefined ? 0 : Number(cursor);
    const objects = keys.slice(from, from + 2).flatMap((key) => this.#found(key) ?? []);
    const truncated = from + 2 < keys.length;
    return truncated ? { objects, truncated, cursor: String(from + 2) } : { objects, truncated };
  }

  async #answer(): Promise<void> {
    this.calls += 1;
    await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (this.failure !== undefined) throw this.failure;
  }

  #found(key: string) {
    const value = this.objects.get(key);
    if (value === undefined) return null;
    const etag = createHash("md5").update(value).digest("hex");
    return { key, etag, httpEtag: `"${etag}"`, size: Buffer.byteLength(value) };
  }

  #holds(key: string, { etagMatches, etagDoesNotMatch }: R2Condition = {}): boolean {
    const etag = this.#found(key)?.etag;
    for (const one of [etagMatches, etagDoesNotMatch])
      if (one?.startsWith('"')) throw new Error("ETags have no quotes");
    if (etagMatches !== undefined && etag !== etagMatches) return false;
    return etag === undefined || (etagDoesNotMatch !== "*" && etagDoesNotMatch !== etag);
  }
}
