const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `30s`, `1.5m`, `1h`; a plain number is seconds. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?$/.exec(text.trim());
  const unitMs = UNITS_MS[match?.[2] ?? "s"];
  return match === null || unitMs === undefined ? undefined : Math.round(Number(match[1]) * unitMs);
}

/** The shortest exact spelling that {@link parseDuration} reads back, for messages. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)}ms`;
  if (durationMs < 60_000) return `${trim(durationMs / 1000)}s`;
  if (durationMs < 3_600_000) return `${trim(durationMs / 60_000)}m`;
  return durationMs < 172_800_000 ? `${trim(durationMs / 3_600_000)}h` : `${trim(durationMs / 86_400_000)}d`;
}

function trim(value: number): string {
  return String(Math.round(value * 100) / 100);
}
