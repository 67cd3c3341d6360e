import type { S3MutexDiagnostics } from "../index.js";

/** Functions for some of the channels. */
export type Handlers = {
  readonly [Name in keyof S3MutexDiagnostics]?: (message: S3MutexDiagnostics[Name]) => void;
};
