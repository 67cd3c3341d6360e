const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a duration in milliseconds: `500ms`, `30s`, `1.5m`, `1h`; a plain number is seconds. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?$/.exec(text.trim());
  const unitMs = UNITS_MS[match?.[2] ?? "s"];
  return match === null || unitMs === undefined ? undefined : Math.round(Number(match[1]) * unitMs);
}

/** Writes a duration in the largest unit that {@link parseDuration} reads the same back from, for messages: 80s, and not 1.33m. */
export function formatDuration(durationMs: number): string {
  const roundMs = Math.round(durationMs);
  const units = Object.entries(UNITS_MS).reverse();
  const [unit, unitMs] = units.find(([, ms]) => roundMs >= ms && isShort(roundMs / ms)) ?? ["ms", 1];
  return `${roundMs / unitMs}${unit}`;
}

/** Says whether two decimals are enough for a number. */
function isShort(value: number): boolean {
  return Number.isInteger(Math.round(value * 1e6) / 1e4);
}
