/**
 * The library as users have it: what is under test is what was built. Types come from the source, so that this folder can
 * be checked before anything is built.
 */
const dist = new URL("../dist/", import.meta.url);

export async function loadLibrary(): Promise<typeof import("../src/index.js")> {
  return import(new URL("index.js", dist).href);
}

export async function loadTesting(): Promise<typeof import("../src/testing/index.js")> {
  return import(new URL("testing/index.js", dist).href);
}
