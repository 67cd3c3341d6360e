import { execFileSync } from "node:child_process";
import type { Mutant } from "./mutant.js";

/** Picks so many of them, from a place that moves with each commit: one commit after the other, all have their turn. */
export function sampleOf(mutants: readonly Mutant[], count: number, from = commits() * count): readonly Mutant[] {
  const size = Math.min(count, mutants.length);
  return Array.from({ length: size }, (_, index) => mutants[(from + index) % mutants.length] as Mutant);
}

/** Picks at most so many from all over the list, others with each commit: so each part of it has its share in every sample. */
export function spreadSampleOf<T>(all: readonly T[], count: number, commit = commits()): readonly T[] {
  const stride = Math.ceil(all.length / count);
  return all.filter((_, index) => index % stride === commit % stride);
}

/** Counts the commits behind this one; 0 where there is no history, as in an unpacked archive. */
function commits(): number {
  try {
    return Number(execFileSync("git", ["rev-list", "--count", "HEAD"], { encoding: "utf8", stdio: "pipe" }));
  } catch {
    return 0;
  }
}
