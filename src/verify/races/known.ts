/**
 * Programs, by what they call themselves, that check a condition and then write, without a lock, by their code. Where all that takes a fraction
 * of a millisecond, as in moto (5.2.5, threads of one interpreter), a race is lost once in a hundred rounds, and a verdict that hangs on
 * that is another one each time.
 */
const CHECK_THEN_WRITE: readonly (readonly [RegExp, string])[] = [
  [/^Werkzeug\//i, "a server on Werkzeug, as moto's is,"],
];

/** The program in words, where it is known to lose races. */
export function knownToLose(server: string | undefined): string | undefined {
  return CHECK_THEN_WRITE.find(([name]) => name.test(server ?? ""))?.[1];
}
