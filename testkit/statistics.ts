/** What is kept of several measurements of the same thing. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error("nothing was measured");
  return {
    median: percentile(values, 50),
    low: Math.min(...values),
    high: Math.max(...values),
    count: values.length,
  };
}

/** Computes it by linear interpolation, so that the median of an even number of values lies between the middle two. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Counts the pairs that stand in another order than their numbers say: 0 when `ranks` is ascending. */
export function pairsOutOfOrder(ranks: readonly number[]): number {
  let count = 0;
  for (const [at, rank] of ranks.entries()) count += ranks.slice(at + 1).filter((later) => later < rank).length;
  return count;
}
