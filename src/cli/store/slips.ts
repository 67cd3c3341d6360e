import { nameOfKey } from "../../core/names.js";
import { strayIn } from "../base/stray-characters.js";
import { UsageError } from "../base/usage-error.js";
import { SEMAPHORES, type StoreAddress } from "./address.js";

/**
 * What was given as a name, or as the beginning of names, and is most probably something else: an address with a slip in it, a path,
 * a key. Taken as it stands it would be a lock of its own, which goes unnoticed. `--literal` takes it as it stands.
 */
export type NameKind = "name" | "beginning";

/** Refuses what looks wrong wherever the store is. */
export function refuseSlip(text: string, kind: NameKind): void {
  const problem = slipIn(text, kind);
  if (problem === undefined) return;
  throw new UsageError(`${JSON.stringify(text)} ${problem}, or add --literal if names of yours look like that.`);
}

/** Refuses what begins with what the store says already: paths and keys do, names rarely. */
export function refuseRepeatedPrefix(text: string, { bucketName, keyPrefix }: StoreAddress, kind: NameKind): void {
  const [own, semaphores] = [`s3://${bucketName}/${keyPrefix}`, `${SEMAPHORES}${keyPrefix}`];
  const withSemaphores = text.startsWith(semaphores) ? `s3://${bucketName}/${text}` : undefined;
  const rest = [`${bucketName}/${keyPrefix}`, keyPrefix]
    .filter((beginning) => beginning !== "" && text.startsWith(beginning))
    .map((beginning) => text.slice(beginning.length))[0];
  if (withSemaphores !== undefined) {
    throw new UsageError(
      `${JSON.stringify(text)} is where semaphores are: write ${withSemaphores}, or add --literal if that is the name of a lock.`,
    );
  }
  if (rest === undefined) return;
  const instead = rest === "" ? own : rest;
  const what = kind === "name" ? "if that is the name" : "if names begin like that";
  throw new UsageError(
    `${JSON.stringify(text)} begins with what the store ${own} says already: write ${instead}, or add --literal ${what}.`,
  );
}

/** Says what is wrong with it and what to do, for after the text. */
function slipIn(text: string, kind: NameKind): string | undefined {
  if (/^(s3|arn):/i.test(text)) return "is not an address: write s3://BUCKET/locks/NAME, or a name";
  const stray = strayIn(text);
  if (stray !== undefined) return `${stray.problem}: ${stray.remedy}`;
  if (text !== text.trim()) return "has a space at an end: leave it out";
  if (/^(["'`]).*\1$|^[‘’‚“”„«»].*[‘’“”«»]$/.test(text))
    return "has quotes in it that the shell has not taken away: leave them out";
  if (text.includes("\\")) return "has a backslash in it: parts of names are separated by a slash";
  if (text.endsWith(".json")) {
    const name = nameOfKey("", text) ?? text.slice(0, -".json".length);
    return `ends in .json, which keys have and names do not: write ${name}`;
  }
  return slipInParts(text.split("/"), kind);
}

function slipInParts(parts: readonly string[], kind: NameKind): string | undefined {
  if (parts.length > 1 && parts[0] === "") return "begins with a slash: leave it out";
  if (parts.some((part) => part === "." || part === ".."))
    return 'has "." or ".." in it, which keys do not know: leave it out';
  if (parts.slice(1, -1).includes("")) return "has two slashes in a row: leave one out";
  if (parts.length > 1 && parts.at(-1) === "" && kind === "name")
    return "ends with a slash, as folders do: leave it out";
  if (parts.some((part) => part !== part.trim())) return "has a space beside a slash: leave it out";
  return undefined;
}
