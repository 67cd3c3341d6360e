/** What `policy` prints. */
export const DOCUMENTS = ["iam", "lifecycle", "bucket"] as const;

export type DocumentName = (typeof DOCUMENTS)[number];
