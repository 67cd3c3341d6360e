import type { Explained } from "../explain.js";

/** The survivors of runtime that are known: what lives on here is what could be there as well. */
export const OF_RUNTIME: readonly Explained[] = [];
