/** What a mutex holds and waits for: names of locks by the ids of the acquisitions. */
export class Activity {
  readonly held = new Map<string, string>();
  readonly waiting = new Map<string, string>();
}
