/** What an early check has left for a late one. */
export interface OlderObject {
  readonly key: string;
  readonly body: string;
  /** Its first ETag, and the current one. */
  readonly first: string | undefined;
  readonly second: string | undefined;
  /** The body that the late check has sent to replace it with: it may be there, where the answer was lost. */
  next?: string;
}
