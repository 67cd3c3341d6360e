import { monotonicMs } from "./server-clock.js";

const WINDOW_MS = 1000;

/** Counts the writes of each key within the last second. */
export class WriteRate {
  readonly #admittedAtMs = new Map<string, number[]>();

  /** Says whether one more write fits; if so it counts. */
  admit(bucket: string, key: string, writesPerSecondMax: number): boolean {
    const id = `${bucket}/${key}`;
    const nowMs = monotonicMs();
    const recent = (this.#admittedAtMs.get(id) ?? []).filter((atMs) => atMs > nowMs - WINDOW_MS);
    const fits = recent.length < writesPerSecondMax;
    if (fits) recent.push(nowMs);
    this.#admittedAtMs.set(id, recent);
    return fits;
  }
}
