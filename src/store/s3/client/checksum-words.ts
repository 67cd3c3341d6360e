/** What the SDK knows of when a request has a checksum, or an answer's is looked at. */
export const CHECKSUM_WORDS = ["WHEN_REQUIRED", "WHEN_SUPPORTED"] as const;

export type ChecksumWord = (typeof CHECKSUM_WORDS)[number];
