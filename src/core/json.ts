/** An object of JSON, of which nothing is known yet. */
export type Json = Record<string, unknown>;

/** Reads what a text says as JSON; undefined where it is not JSON: no JSON says that. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
