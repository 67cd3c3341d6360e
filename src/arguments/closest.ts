/**
 * Finds what a caller may have meant: the candidate that differs from the word by at most two typing errors, in upper or lower case, or
 * else the only one that begins or ends with the word, or that the word begins or ends with.
 */
export function closestTo(word: string, candidates: readonly string[]): string | undefined {
  const given = word.toLowerCase();
  const measured = candidates.map((candidate) => ({ candidate, distance: distanceOf(given, candidate.toLowerCase()) }));
  const [best] = measured.sort((one, other) => one.distance - other.distance);
  if (best !== undefined && best.distance <= Math.min(2, Math.floor(word.length / 2))) return best.candidate;
  const [part, ...others] = candidates.filter((candidate) => isPart(given, candidate.toLowerCase()));
  return others.length === 0 ? part : undefined;
}

function isPart(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return short.length >= MIN_PART_LENGTH && (long.startsWith(short) || long.endsWith(short));
}

/** Shorter parts are in too many words. */
const MIN_PART_LENGTH = 3;

/** Counts how many letters have to be put in, taken out or replaced (Levenshtein). */
function distanceOf(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1];
    for (let column = 0; column < other.length; column += 1) {
      const [replaced, left, above] = [previous[column], current[column], previous[column + 1]] as [
        number,
        number,
        number,
      ];
      current.push(Math.min(replaced + (letter === other[column] ? 0 : 1), above + 1, left + 1));
    }
    previous = current;
  }
  return previous[other.length] as number;
}
