/**
 * Whether another caller was faster with its write. A refusal alone says nothing: a store that refuses every write sends the same answer,
 * and so does a proxy that has sent the caller's own write twice. The next read that shows what another caller wrote since does.
 */
export interface Overtaking {
  /** What the last decision was about, where that was read for this call. */
  readonly base?: Version | undefined;
  /** What a write was refused for that nothing has explained yet. */
  readonly refused?: Version | undefined;
}

/** A version of the record; without an id it is absent, or of 1.x. */
interface Version {
  readonly writeId?: string | undefined;
}

export const NOTHING_REFUSED: Overtaking = {};

/** Notes that a write over the version of the last decision was refused as one that came second. */
export function refusedOnce({ base }: Overtaking): Overtaking {
  return { base, refused: base };
}

/** Notes that the next decision is about this version. */
export function decidedOn(version: Version | undefined, isOfThisCall: boolean): Overtaking {
  return isOfThisCall ? { base: { writeId: version?.writeId } } : {};
}

/** Says whether this version shows that another caller has written since that refusal. */
export function isOvertaken(
  { refused }: Overtaking,
  version: Version | undefined,
  isOwn: (writeId: string) => boolean,
): boolean {
  const writeId = version?.writeId;
  if (refused === undefined || writeId === refused.writeId) return false;
  return writeId === undefined || !isOwn(writeId);
}
