import { invalidArgument } from "../../arguments/invalid-argument.js";
import type { Content } from "../../core/envelope.js";

/** Turns what a caller writes into what is stored: bytes as base64, everything else as JSON. The remedy is what the caller may do instead. */
export function contentOf(argument: string, value: unknown, remedy: string): Content {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  const json = jsonOf(argument, value);
  if (json === undefined) throw invalidArgument(argument, value, remedy);
  // A copy: what the caller does to its own value later changes nothing here.
  return { content: JSON.parse(json) };
}

/** Joins lines: V8 draws the way around a circle on several. */
function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ");
}

function jsonOf(argument: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    const why = oneLine((cause as Error).message);
    throw Object.assign(invalidArgument(argument, value, `JSON cannot hold it (${why})`), { cause });
  }
}

/** Gives a reader what was stored, as a copy of its own. */
export function valueIn({ content, base64 }: Content): unknown {
  return base64 === undefined ? structuredClone(content) : new Uint8Array(Buffer.from(base64, "base64"));
}
