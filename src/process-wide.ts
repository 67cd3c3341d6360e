import { VERSION } from "./version.js";

/**
 * Makes something once a process, however many copies of this version are loaded in it: a program that imports the package here
 * and requires it there has two. Copies of other versions share nothing, since what is inside may differ.
 */
export function processWide<T>(name: string, make: () => T): T {
  const key = Symbol.for(`s3-mutex ${VERSION}: ${name}`);
  const shared = globalThis as { [key]?: T };
  shared[key] ??= make();
  return shared[key];
}
