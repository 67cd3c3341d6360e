/**
 * What the project's English does without. Prose names the actor (a caller, a holder, a waiter, a client, a process), and says "is not a"
 * and "forever"; one idea has one word, as in the glossary.
 */
export const BANNED: readonly RegExp[] = [
  /\b(?:who(?:m)?ever|nobody|somebody|anybody|everybody|someone|anyone)\b/i,
  // "No one holder" counts holders.
  /\bno\s+one\b(?! (?:holder|token))/i,
  /\b(?:one|those)\s+who\b/i,
  /\bfor\s+ever\b/i,
  /(?<!there\s+)\b(?:is|are|was|were)\s+no\b(?!\s+(?:longer|more)\b)(?=\s)/i,
  /(?<!there\s+)\b(?:is|are|was|were)\s+none\b/i,
  /\bthat\s+there\s+(?:is|are)\s+none\s+of\b/i,
  // A sentence of which "who" is the subject has no actor. It is a question, or the title of what a doc comment is about.
  /(?:^[ \t]*|\/\/ |[.!?:][*_)]*\s+|[-"'`>(|]\s*)Who\b(?=[^.?!:\n|]*[.!:|])/m,
  /(?:\b(?:at|for|from|than|to|with)|;)\s+who\s+(?:is|has|had|holds|waits|asks|takes|gives|knows|comes|gets|reads|writes|wants)\b/,
  /\/\*\* Who\b[^.?!:]*\b(?:tries|steps|knows|makes|gets|gives way has|is not kept)\b/,
];

/** Finds the lines of a text that have a banned form, or begin one, each with its number. */
export function bannedLines(text: string): readonly string[] {
  const flat = flatten(text);
  const starts = BANNED.flatMap((form) =>
    [...flat.matchAll(new RegExp(form, `${form.flags}g`))].map(({ index }) => index),
  );
  const lines = text.split("\n");
  const numbers = [...new Set(starts.map((start) => lineAt(text, start)))].sort((a, b) => a - b);
  return numbers.map((number) => `${number}: ${lines[number - 1]?.trim()}`);
}

/** Joins the lines of a paragraph, a comment or a text that goes on, and blanks escapes, as it is read. Nothing changes its place. */
function flatten(text: string): string {
  return text
    .replace(/\\[nrt]/g, "  ")
    .replace(/["'`] *\+ *\n *["'`]/g, blank)
    .replace(/(?<=\S)\n[ \t]*(?:\*|\/\/|#|>)?[ \t]*(?=[\w("'`])(?!Who\b)/g, blank);
}

const blank = (joint: string): string => " ".repeat(joint.length);

/** Finds the line that a form is on, which may begin with the space or the line before it. */
function lineAt(text: string, start: number): number {
  const word = start + (/^[^\w]*/.exec(text.slice(start))?.[0].length ?? 0);
  return text.slice(0, word).split("\n").length;
}

/** The comment of a function or a method, with what comes before its name. */
const FUNCTION_COMMENT =
  /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*\n\s*((?:(?:export|default|async|static|private|protected|override|public|declare|get|set) )*)(?:function\*? )?(#?[A-Za-z_]\w*)\s*(?:<[^\n{=]*>)?\(/g;

/** Words in -s with which a comment may begin that are not verbs. */
const NOT_VERBS: ReadonlySet<string> = new Set(
  (
    "Always Addresses Attempts Besides Bodies Callers Clients Conflicts Cookies Cycles Effects Faults Followers Has Is Its Keys Less Lines Locks Milliseconds " +
    "Options Others Pages Parties Perhaps Places Ports Processes Records Refusals Sharers Texts These This Those Times Transfers Us Was"
  ).split(" "),
);

/** Finds the functions whose comment does not begin with a verb, each with its comment. Getters are named for what they give. */
export function verblessComments(code: string): readonly string[] {
  return [...code.matchAll(FUNCTION_COMMENT)].flatMap(([, comment = "", before = "", name = ""]) => {
    const text = comment.replace(/\n\s*\*/g, " ").trim();
    const first = /^[A-Z][a-z]+s(?![\w'])/.exec(text)?.[0];
    const isVerb = first !== undefined && !NOT_VERBS.has(first);
    const isNamedForAValue = /\b[gs]et $/.test(before) || name === "constructor" || text.startsWith("@");
    return isVerb || isNamedForAValue ? [] : [`${name}: ${text}`];
  });
}
