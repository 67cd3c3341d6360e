import type { Examination } from "../examination/examination.js";

/**
 * Programs, by what they call themselves, that check a condition and then write, without a lock, by their code. Where all that takes a fraction
 * of a millisecond, as in moto (5.2.5, threads of one interpreter), a race is lost once in a hundred rounds, and a verdict that hangs on
 * that is another one each time.
 */
const CHECK_THEN_WRITE: readonly (readonly [RegExp, string])[] = [
  [/^Werkzeug\//i, "a server on Werkzeug, as moto's is,"],
];

/**
 * Made of gofakes3, and its conditional DELETE holds, as it does not in gofakes3 itself. In one of forty examinations (1.76.0) what was
 * acknowledged was not in the ledger, and in seven both a DELETE and a PUT of one version were done.
 */
const RCLONE = "rclone serve s3, by what it sends,";

/** Describes the program, where it is known to lose races. */
export function knownToLose({ program, holdsDeletes }: Examination): string | undefined {
  if (program === "gofakes3" && holdsDeletes) return RCLONE;
  return CHECK_THEN_WRITE.find(([name]) => name.test(program ?? ""))?.[1];
}
