import type { ListProgress } from "../../index.js";
import type { Output } from "../base/output.js";
import { counted } from "../base/text.js";

/** The progress of a moment's work is not worth telling. */
const SHOWN_AFTER_MS = 700;
const EVERY_MS = 100;

/** Says on stderr, where it is watched, how far a long listing has come. */
export function showProgress(what: string, output: Output): (progress: ListProgress) => void {
  let nextAtMs = performance.now() + SHOWN_AFTER_MS;
  return ({ found, read, isComplete }) => {
    if (performance.now() < nextAtMs) return;
    nextAtMs = performance.now() + EVERY_MS;
    const percent = Math.floor((100 * read) / Math.max(1, found));
    const of = isComplete ? `${counted(found, "lock")} (${percent} %)` : `${counted(found, "lock")} found so far`;
    output.status(`${what}: ${read.toLocaleString("en")} of ${of}`);
  };
}
