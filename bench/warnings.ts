/** Runs something and returns every warning that Node or the SDK gave meanwhile; the SDK's are not printed. */
export async function warningsDuring(work: () => Promise<void>): Promise<string[]> {
  const warnings: string[] = [];
  const note = (warning: Error) => warnings.push(warning.message);
  const original = console.warn;
  console.warn = (...texts: unknown[]) => warnings.push(texts.join(" "));
  process.on("warning", note);
  try {
    await work();
    // Node emits its warnings in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    console.warn = original;
    process.off("warning", note);
  }
  return warnings;
}
