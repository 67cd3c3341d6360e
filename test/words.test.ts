import { expect, it } from "vitest";
import { bannedLines, verblessComments } from "./words.js";

it.each([
  ["an indefinite person", "// Nobody waits."],
  ["the same behind an escape", 'help: "N counts where\\nnobody has used it yet"'],
  ["no one", '"No one waits."'],
  ["the same at the end of a line", "/** By now no\n * one waits. */"],
  ["someone", "a lock held by someone"],
  ["a sentence without an actor", "// Who asks again does not want to wait."],
  ["the same inside of a paragraph", "It is over. Who asks again\nis refused."],
  ["the same at the beginning of a text", '"Who waits points at the lock."'],
  ["a doc comment without an actor", "/** Who contends steps back more each time. */"],
  ["a clause without an actor", "readers wait; who asks for a permit is told so"],
  ["a thing that is none", "a client that is none"],
  ["things that are none", "it prints changes; renewals are none."],
  ["a thing that is no other, over two lines of a comment", "/**\n * Ctrl-C is\n * no end in a debugger.\n */"],
  ["the same over two texts", '"a queue is " +\n  "no list"'],
])("sees %s", (_, text) => {
  expect(bannedLines(text)).toHaveLength(1);
});

it.each([
  ["a question", "// Who waits for whom?"],
  ["the title of what is documented", "/** Who holds permits now, and who waits. */"],
  ["a thing that there is none of", "// There is none, and there was no other."],
  ["a thing that is no longer", "// It is no longer held."],
  ["a count of one", "// There is no one holder that keeps it."],
  ["the end of a sentence before the next line of code", "// That was\nno(one);"],
])("lets pass %s", (_, text) => {
  expect(bannedLines(text)).toEqual([]);
});

it("numbers a line by where the form begins", () => {
  expect(bannedLines("one\n\n// What is\n// no lock\nnobody")).toEqual(["3: // What is", "5: nobody"]);
});

it.each([
  ["a noun", "/** The key of a lock. */\nexport function keyOf(name: string) {}", ["keyOf: The key of a lock."]],
  ["a plural", "/** Milliseconds until then. */\n  #untilThen(): number {", ["#untilThen: Milliseconds until then."]],
  ["its owner", "/** Its record's key. */\nkeyOf(a: string): string;", ["keyOf: Its record's key."]],
  ["a verb", "/**\n * Waits for a lock, and\n * holds it. */\n  async acquire<T>(name: string) {", []],
  ["a getter, which is named for what it gives", "/** The key. */\n  get key(): string {", []],
])("hears whether the comment of a function begins with a verb: %s", (_, code, found) => {
  expect(verblessComments(code)).toEqual(found);
});
