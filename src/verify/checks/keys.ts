import type { Examination } from "../examination/examination.js";
import type { ProbeOutcome } from "../examination/probe-answer.js";
import { isDone, isRefusal } from "../examination/probe-answer.js";
import { type Finding, fail, pass, UNDELETABLE, warn } from "../examination/report.js";

/** S3's own limit on a key, in bytes. */
const KEY_BYTES_MAX = 1024;
/** What is between two slashes is the name of a folder or file on some stores: 255 bytes there, or less what they put to it. */
const PART_BYTES = [1000, 255, 250, 240, 200, 140];
const SHORT_PART_BYTES = 90;
/** How long a key may be in all, where S3's own limit is too much. */
const WHOLE_BYTES = [896, 768, 640, 512, 384, 256];
/** `.json`, behind the name of each lock. */
const SUFFIX_BYTES = 5;

/** Names that differ are locks that differ, and how long they may be. */
export async function keys(exam: Examination): Promise<Finding> {
  if (!exam.mayDelete) return UNDELETABLE;
  const [folded, limit] = await Promise.all([foldedKeys(exam), limits(exam)]);
  if (folded.includes("case")) {
    return fail(
      "keys that differ only in case are one object",
      "Use names and a prefix in lower case only, or another store.",
    );
  }
  const details = [
    ...(folded.length === 0 ? [] : [`keys are taken for one another, or refused, that have ${folded.join(", ")}`]),
    ...(limit === undefined ? [] : [limit.detail]),
  ];
  if (details.length === 0) return pass("keys are kept as they are, up to 1,024 bytes");
  const remedies = [
    ...(folded.length === 0 ? [] : ["Use a keyPrefix of letters, digits, `-`, `_` and single slashes."]),
    ...(limit === undefined ? [] : [limit.remedy]),
  ];
  return warn(details.join("; "), remedies.join(" "));
}

async function foldedKeys(exam: Examination): Promise<string[]> {
  const folder = `${exam.newKey("keys")}/`;
  const pairs = [
    ["case", `${folder}Job`, `${folder}job`],
    ["double slashes", `${folder}a//b`, `${folder}a/b`],
    ["dots", `${folder}.2e.2ex`, `${folder}2e2ex`],
    ["trailing dots", `${folder}end.`, `${folder}end`],
    ["spaces and plus signs", `${folder}a b`, `${folder}a+b`],
    ["letters beyond ASCII", `${folder}\u00e9`, `${folder}e\u0301`],
  ] as const;
  const merged = await Promise.all(
    pairs.map(async ([what, one, other]) => {
      const bodies = [exam.newBody(), exam.newBody()] as const;
      const a = await kept(exam, one, bodies[0], () => kept(exam, other, bodies[1]));
      const isKept = a.first === bodies[0] && a.second === bodies[1];
      if (isKept) return [];
      const isMerged = a.first === bodies[1] || a.second === bodies[0];
      return [isMerged ? what : `${what} (refused)`];
    }),
  );
  return merged.flat();
}

interface Kept {
  readonly first: string | undefined;
  readonly second: string | undefined;
}

/** Tells what a key holds after it was written, and what another one does that was written in between. */
async function kept(exam: Examination, key: string, body: string, between?: () => Promise<Kept>): Promise<Kept> {
  await writtenAndRead(exam, key, body);
  const other = await between?.();
  const found = await exam.insist(() => exam.lane.get(key));
  await aboutKeysOnly(exam, found);
  return { first: bodyOf(found), second: other?.first };
}

/** Says what is wrong with long keys; undefined where all are taken that S3 takes. */
async function limits(exam: Examination): Promise<{ readonly detail: string; readonly remedy: string } | undefined> {
  const isWhole = await isTaken(exam, longKey(exam.newStem("long"), KEY_BYTES_MAX));
  const wholeBytes = isWhole ? KEY_BYTES_MAX : await longestWhole(exam);
  const stem = exam.newStem("part");
  // Of a part whose key is too long as a whole, nothing can be said.
  const parts = PART_BYTES.filter((bytes) => wholeBytes === 0 || keyWithPart(stem, bytes).length <= wholeBytes);
  const longest = await longestTaken(parts, (bytes) => isTaken(exam, keyWithPart(exam.newStem("part"), bytes)));
  const isShort = longest < (parts[0] ?? 0);
  if (isWhole && !isShort) return undefined;
  const details = [...(isShort ? [partDetail(longest)] : []), ...(isWhole ? [] : [wholeDetail(wholeBytes)])];
  const names = [
    ...(isWhole || wholeBytes === 0 ? [] : [`keys of at most ${wholeBytes} bytes, prefix and \`.json\` included`]),
    ...(isShort && longest > 0 ? [`names of at most ${longest - SUFFIX_BYTES} bytes between slashes`] : []),
  ];
  const use = names.length === 0 ? "short names" : names.join(", and ");
  const remedy = `Use ${use}; a longer one is the error invalid-argument.`;
  return { detail: details.join(", "), remedy };
}

/** Finds the greatest of these lengths that is taken; 0 where none is. */
async function longestTaken(lengths: readonly number[], take: (bytes: number) => Promise<boolean>): Promise<number> {
  return Math.max(0, ...(await Promise.all(lengths.map(async (bytes) => ((await take(bytes)) ? bytes : 0)))));
}

function longestWhole(exam: Examination): Promise<number> {
  return longestTaken(WHOLE_BYTES, async (bytes) => {
    const key = longKey(exam.newStem("long"), bytes);
    return key.length === bytes && (await isTaken(exam, key));
  });
}

function wholeDetail(longest: number): string {
  return `a key of 1,024 bytes is refused${longest === 0 ? "" : `; one of ${longest} is taken`}`;
}

function partDetail(longest: number): string {
  const refused = PART_BYTES.toReversed().find((bytes) => bytes > longest);
  const taken = longest === 0 ? "" : `; one of ${longest} is taken`;
  return `a part of a key between slashes of ${refused} bytes is refused${taken}`;
}

/** Makes a key of so many bytes in all, in parts that no file system minds. */
function longKey(start: string, bytes: number): string {
  let key = `${start}/`;
  while (key.length < bytes) key += key.length % SHORT_PART_BYTES === 0 && key.length < bytes - 1 ? "/" : "x";
  return key;
}

/** Makes a key whose last part has so many bytes. */
function keyWithPart(start: string, bytes: number): string {
  const part = start.slice(start.lastIndexOf("/") + 1);
  return start + "x".repeat(Math.max(0, Math.min(KEY_BYTES_MAX - start.length, bytes - part.length)));
}

async function isTaken(exam: Examination, key: string): Promise<boolean> {
  const body = exam.newBody();
  const { put, found } = await writtenAndRead(exam, key, body);
  // Done and answered 500, as by nanio where its notes on the object have no room, is not taken; done and answered as refused, it
  // was sent twice on the way.
  return put.kind === "answer" && (isDone(put) || put.status === 409 || isRefusal(put)) && bodyOf(found) === body;
}

/** Writes and reads a key that a store may not take. What is not there is not looked for when it is tidied up. */
async function writtenAndRead(
  exam: Examination,
  key: string,
  body: string,
): Promise<{ readonly put: ProbeOutcome; readonly found: ProbeOutcome }> {
  exam.observations.trials.add(key);
  exam.keys.add(key);
  const put = await exam.insist(() => exam.lane.put(key, body, { IfNoneMatch: "*" }));
  const found = await exam.insist(() => exam.lane.get(key));
  await aboutKeysOnly(exam, put, found);
  const isThere = found.kind === "answer" ? found.status === 200 : put.kind === "answer" && isDone(put);
  if (!isThere) exam.keys.delete(key);
  return { put, found };
}

/** @throws where the store has begun to deny what is asked of any key: that says nothing about these */
async function aboutKeysOnly(exam: Examination, ...outcomes: readonly ProbeOutcome[]): Promise<void> {
  if (!outcomes.some((outcome) => outcome.kind === "refused" && outcome.error.code === "access-denied")) return;
  const key = exam.newKey();
  await exam.create(key, exam.newBody());
  await exam.read(key);
}

function bodyOf(outcome: ProbeOutcome): string | undefined {
  return outcome.kind === "answer" ? outcome.body : undefined;
}
