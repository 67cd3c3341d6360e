/**
 * Whether all is tested, as in `npm run test:proof`: there random runs have all their seeds, and what a store may get wrong is examined
 * in each of its forms. `npm test` plays a part of the same, so that it is done while a developer waits for it.
 */
export const IN_FULL = process.env["TESTS_IN_FULL"] === "yes";

/** Says how many of so many seeds `npm test` plays, or how many of what they come to it may expect. */
export function share(inFull: number): number {
  return IN_FULL ? inFull : Math.ceil(inFull / 16);
}

/** Says how far apart the moments of a sweep are, of which `npm test` plays every eighth. */
export function stride(inFull: number): number {
  return IN_FULL ? inFull : 8 * inFull;
}
