/** What an option may be, and what is said besides where it is not. */
export interface WholeNumberLimits {
  readonly least: number;
  readonly most?: number;
  readonly usage?: string;
}

/** @throws with a sentence for the user where the option is missing, is not a whole number, or lies outside of the limits */
export function wholeNumber(name: string, text: string | undefined, { least, most, usage }: WholeNumberLimits): number {
  const value = text === undefined || text === "" ? Number.NaN : Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= (most ?? value)) return value;
  const range = most === undefined ? `of at least ${least}` : `from ${least} to ${most}`;
  const given = text === undefined ? "nothing" : JSON.stringify(text);
  throw new Error(`--${name} takes a whole number ${range}, not ${given}${usage === undefined ? "" : `.\n\n${usage}`}`);
}
