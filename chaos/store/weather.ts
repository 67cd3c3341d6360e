import type { FaultRule } from "../../src/testing/index.js";
import type { Random } from "../../src/testing/virtual/random.js";

/** What the store is like for a while. Each is what some real network or store does on a bad day. */
type Weather = (random: Random) => readonly FaultRule[];

const WEATHERS = {
  calm: () => [],
  slow: (random) => [{ fault: "latency", latencyMs: () => random.between(5, 60) }],
  stalls: (random) => [
    { fault: "latency", beforeMs: () => random.between(100, 900), probability: 0.1 },
    { fault: "latency", afterMs: () => random.between(100, 900), probability: 0.1 },
  ],
  "lost-responses": () => [{ fault: "lose-response", probability: 0.15 }],
  drops: () => [{ fault: "drop-before", probability: 0.15 }],
  "errors-after-applying": () => [{ fault: "status", status: 500, applied: true, probability: 0.15 }],
  throttling: () => [{ fault: "status", status: 503, probability: 0.25 }],
  conflicts: () => [{ fault: "status", status: 409, operation: "PutObject", probability: 0.25 }],
  "late-writes": () => [
    { fault: "delay-apply", operation: "PutObject", delayMs: 60, probability: 0.06 },
    { fault: "delay-apply", operation: "PutObject", delayMs: 700, probability: 0.06 },
    { fault: "delay-apply", operation: "PutObject", delayMs: 2500, answer: "none", probability: 0.06 },
  ],
  duplicates: () => [{ fault: "duplicate", operation: "PutObject", probability: 0.2 }],
  silence: () => [
    { fault: "never-answer", probability: 0.04 },
    { fault: "never-answer", applied: true, probability: 0.04 },
  ],
  storm: (random) => [
    { fault: "latency", latencyMs: () => random.between(1, 30) },
    { fault: "lose-response", probability: 0.05 },
    { fault: "drop-before", probability: 0.05 },
    { fault: "status", status: 500, applied: true, probability: 0.04 },
    { fault: "status", status: 503, probability: 0.04 },
    { fault: "status", status: 409, operation: "PutObject", probability: 0.04 },
    { fault: "delay-apply", operation: "PutObject", delayMs: 400, probability: 0.03 },
    { fault: "duplicate", operation: "PutObject", probability: 0.04 },
    { fault: "never-answer", applied: true, probability: 0.02 },
  ],
  /** No request gets through for a moment. */
  outage: () => [{ fault: "never-answer", times: 40 }],
} satisfies Record<string, Weather>;

export type WeatherName = keyof typeof WEATHERS;

export const BAD_WEATHERS = (Object.keys(WEATHERS) as WeatherName[]).filter((name) => name !== "calm");

/** Gives the rules of a weather; the same generator strikes the same requests, as far as these come in the same order. */
export function rulesOf(name: WeatherName, random: Random): readonly FaultRule[] {
  const weather: Weather = WEATHERS[name];
  return weather(random).map((rule) => ({ ...rule, random: () => random.number() }));
}
