import { S3MutexError } from "../errors.js";

/** Makes the error of what a caller has passed: it names the argument, its value and the remedy. */
export function invalidArgument(argument: string, value: unknown, remedy: string): S3MutexError {
  return new S3MutexError("invalid-argument", `${argument} is ${describe(value)}: ${remedy}.`);
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  if (!Array.isArray(value)) return "an object";
  return value.length === 0 ? "an empty array" : "an array";
}
