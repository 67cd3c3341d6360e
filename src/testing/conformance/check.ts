import type { Subject } from "./subject.js";

/** What one check is given. */
export interface CheckContext {
  readonly subject: Subject;
  readonly racers: number;
  readonly rounds: number;
}

/** Checks by what they find to be so. Each rejects where it is not. */
export type Checks = Readonly<Record<string, (context: CheckContext) => Promise<void>>>;
