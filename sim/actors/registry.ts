import type { Random } from "../../src/testing/virtual/random.js";
import { CONTEXTS } from "./contexts.js";
import { FENCED } from "./fenced.js";
import { LEAVING } from "./leaving.js";
import { MAINTENANCE } from "./maintenance.js";
import { MUTEX } from "./mutex.js";
import { NAMED } from "./named.js";
import { NESTED } from "./nested.js";
import { SHARING } from "./sharing.js";
import type { Turn } from "./turn.js";

/** Everything that clients do. A new primitive adds a file of turns, and a line here. */
export const TURNS: readonly Turn[] = [
  ...MUTEX,
  ...NAMED,
  ...NESTED,
  ...SHARING,
  ...FENCED,
  ...LEAVING,
  ...CONTEXTS,
  ...MAINTENANCE,
];

export function nextTurn(weights: Readonly<Record<string, number>>, random: Random): Turn {
  return random.weighted(TURNS.map((turn) => [turn, weights[turn.name] ?? 0] as const)) ?? (TURNS[0] as Turn);
}
