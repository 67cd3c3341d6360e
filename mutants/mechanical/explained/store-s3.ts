import type { Explained } from "../explain.js";

/** The survivors of store/s3 that are known: what lives on here is what could be there as well. */
export const OF_STORE: readonly Explained[] = [];
