/** What was asked for, in the words of a policy. */
export interface Request {
  readonly action: string;
  readonly bucket: string;
  /** Absent for requests about the bucket itself. */
  readonly key?: string;
  /** HEAD: S3 itself answers without a word. */
  readonly isHead?: boolean;
  /** A PUT or DELETE under a condition, which not every store can do. */
  readonly isConditional?: boolean;
  /** No option would create the bucket: it is not the mutex's own, or it was to be created already. */
  readonly isNotCreated?: boolean;
  /** It is part of an examination, which is not advised to make itself. */
  readonly isExamination?: boolean;
}
