/** What a mutex holds and waits for: names of locks by the ids of the acquisitions. */
export class Activity {
  readonly held = new Map<string, string>();
  readonly waiting = new Map<string, string>();
  /** The ids of those whose entries are being taken out: what was given up, lost, or could not be given back. */
  readonly leaving = new Set<string>();

  /** Says whether no caller has this acquisition, whatever a record shows of it: it was not handed out yet, or is being taken out. */
  isInNoHands(acquisitionId: string): boolean {
    return this.waiting.has(acquisitionId) || this.leaving.has(acquisitionId);
  }
}
