import type { Figure } from "./case.js";

export type Verdict = "reached" | "missed" | "no target" | "not there";

/** Judges by the median of the rounds, or by the worst of them where the figure says so. */
export function verdictOf({ measured, target, strict }: Figure): Verdict {
  if (measured === undefined) return "not there";
  if (target === undefined) return "no target";
  const { median, low, high } = measured;
  switch (target.is) {
    case "at most":
      return (strict ? high : median) <= target.value ? "reached" : "missed";
    case "at least":
      return (strict ? low : median) >= target.value ? "reached" : "missed";
    case "exactly":
      return low === target.value && high === target.value ? "reached" : "missed";
  }
}

/** Says how many times better than the ancestor: above 1 is better, whichever direction better is. */
export function timesTheAncestor({ measured, ancestor, better }: Figure): number | undefined {
  return ratio(measured?.median, ancestor?.median, better);
}

/** Says which share of the limit is reached: 1 is all that a store able to push would allow. */
export function shareOfLimit({ measured, limit, better }: Figure): number | undefined {
  return ratio(measured?.median, limit?.median, better);
}

function ratio(ours: number | undefined, theirs: number | undefined, better: Figure["better"]): number | undefined {
  if (ours === undefined || theirs === undefined || better === undefined) return undefined;
  const quotient = better === "higher" ? ours / theirs : theirs / ours;
  return Number.isFinite(quotient) ? quotient : undefined;
}
