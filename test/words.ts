/**
 * What the project's English does without. Prose names the actor (a caller, a holder, a waiter, a client, a process), and says "is not a"
 * and "forever"; one idea has one word, as in the glossary.
 */
export const BANNED: readonly RegExp[] = [
  /\b(?:who(?:m)?ever|nobody|somebody|anybody|everybody)\b/i,
  /\b(?:one|those) who\b/i,
  /\bfor ever\b/i,
  /(?<!there )\b(?:is|are|was|were) no\b(?! (?:longer|more)\b)(?= )/i,
];

/** The lines of a text that have a banned form, each with its number. */
export function bannedLines(text: string): readonly string[] {
  return text
    .split("\n")
    .flatMap((line, index) => (BANNED.some((form) => form.test(line)) ? [`${index + 1}: ${line.trim()}`] : []));
}
