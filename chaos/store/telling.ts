import type { Random } from "../../src/testing/virtual/random.js";

/** What a proxy makes of the time that answers tell. */
export const MANNERS = ["drops-date", "varies-date"] as const;
export type Manner = (typeof MANNERS)[number];

export type Told = "as it was" | "without Date" | "with Age" | "late";

/** How old a cache says that an answer is, in seconds at most. */
const OLDEST_S = 60;
/** For how long a server keeps the text of its header. */
const LATEST_MS = 1000;

/** Decides about one answer. */
export function toldBy(manner: Manner, random: Random): Told {
  if (manner === "drops-date") return "without Date";
  return random.weighted([
    ["as it was", 3],
    ["without Date", 3],
    ["with Age", 2],
    ["late", 2],
  ] as const) as Told;
}

/** Rewrites the headers of an answer that is sent at this time (epoch milliseconds), in lower case as Node has them. */
export function retold<Headers extends Readonly<Record<string, unknown>>>(
  headers: Headers,
  told: Told,
  nowMs: number,
  random: Random,
): Readonly<Record<string, unknown>> {
  const { date: _, age: __, ...others } = headers;
  const dateOf = (ms: number) => new Date(ms).toUTCString();
  if (told === "without Date") return others;
  if (told === "late") return { ...others, date: dateOf(nowMs - random.between(0, LATEST_MS)) };
  if (told === "as it was") return headers;
  const age = random.integer(1, OLDEST_S);
  return { ...others, age: String(age), date: dateOf(nowMs - age * 1000) };
}
