/** The candidate that differs from the word by at most two typing errors, if there is one. */
export function closestTo(word: string, candidates: readonly string[]): string | undefined {
  const distances = candidates.map((candidate) => ({ candidate, distance: distanceOf(word, candidate) }));
  const [best] = distances.sort((one, other) => one.distance - other.distance);
  return best !== undefined && best.distance <= Math.min(2, word.length - 1) ? best.candidate : undefined;
}

/** Levenshtein: how many letters have to be put in, taken out or replaced. */
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
