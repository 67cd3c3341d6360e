import { formatDuration, parseDuration } from "./duration.js";
import { UsageError } from "./usage-error.js";

/** As long as the library allows. */
const LONGEST_MS = 365 * 24 * 60 * 60 * 1000;

type ParsedValue = string | boolean | readonly (string | boolean)[] | undefined;

/** The options that were given, read by type; a value that cannot be right is a usage error that names the option. */
export class Values {
  readonly #parsed: Readonly<Record<string, ParsedValue>>;

  constructor(parsed: Readonly<Record<string, ParsedValue>>) {
    this.#parsed = parsed;
  }

  flag(name: string): boolean {
    return this.#parsed[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#parsed[name];
    return typeof value === "string" ? value : undefined;
  }

  /** Reads an option as {@link text} does; given but empty is a usage error. */
  word(name: string): string | undefined {
    const value = this.text(name);
    if (value === "") throw new UsageError(`--${name} is empty: give it a value or leave it out.`);
    return value;
  }

  texts(name: string): readonly string[] {
    const value = this.#parsed[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  }

  /** Reads an option as a duration, in milliseconds. */
  duration(name: string, { min = 0, max = LONGEST_MS } = {}): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const durationMs = parseDuration(text);
    if (durationMs === undefined) {
      throw new UsageError(`--${name} ${JSON.stringify(text)} is not a duration: write 500ms, 30s, 5m or 1h.`);
    }
    if (durationMs < min) throw new UsageError(`--${name} ${text} is too short: use at least ${formatDuration(min)}.`);
    if (durationMs > max) throw new UsageError(`--${name} ${text} is too long: use at most ${formatDuration(max)}.`);
    return durationMs;
  }

  /** Reads an option as a whole number. `orElse`: a word that would do as well, and is not a number. */
  wholeNumber(
    name: string,
    { min, max, orElse }: { readonly min: number; readonly max: number; readonly orElse?: string },
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    const range = min === Number.MIN_SAFE_INTEGER ? "use a whole number" : `use a whole number from ${min} to ${max}`;
    const remedy = orElse === undefined ? range : `${range}, or ${orElse}`;
    throw new UsageError(`--${name} ${JSON.stringify(text)} is not possible: ${remedy}.`);
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === text);
    if (choice !== undefined) return choice;
    throw new UsageError(`--${name} ${JSON.stringify(text)} is not possible: use ${choices.join(" or ")}.`);
  }
}
