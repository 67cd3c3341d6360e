import { spreadOf } from "../testkit/statistics.js";
import type { Figure, Target } from "./case.js";

type Numbers = number | readonly number[];

/** A figure with its measurements as they come; empty lists are left out. */
export interface FigureInput extends Omit<Figure, "measured" | "ancestor" | "limit"> {
  readonly measured?: Numbers;
  readonly ancestor?: Numbers;
  readonly limit?: Numbers;
}

export function figure({ measured, ancestor, limit, ...rest }: FigureInput): Figure {
  const spreads = { measured, ancestor, limit };
  const present = Object.entries(spreads).flatMap(([key, values]) => {
    const list = typeof values === "number" ? [values] : (values ?? []);
    return list.length === 0 ? [] : [[key, spreadOf(list)]];
  });
  return { ...rest, ...Object.fromEntries(present) };
}

export function atMost(value: number, words?: string): Target {
  return { is: "at most", value, ...(words === undefined ? {} : { words }) };
}

export function atLeast(value: number, words?: string): Target {
  return { is: "at least", value, ...(words === undefined ? {} : { words }) };
}

export function exactly(value: number, words?: string): Target {
  return { is: "exactly", value, ...(words === undefined ? {} : { words }) };
}
