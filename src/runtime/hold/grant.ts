import type { Holder } from "../../core/record.js";
import type { ClockReading } from "../../core/store-time.js";
import type { Swapped } from "../swap/swap-options.js";
import type { WriteLog } from "../swap/write-log.js";

/** What a grant gives: the holder as it stands in the record, and the clocks as they were when its lease was computed. */
export interface Grant {
  readonly holder: Holder;
  readonly reading: ClockReading;
  readonly writeLog: WriteLog;
}

/** A grant as the record has it, and whether its times are in doubt: not to be handed out before `confirmGrant` has made it a {@link Grant}. */
export interface UnconfirmedGrant {
  readonly holder: Holder;
  /** It made the record, so nothing but the time says that its token is higher than those of a record that was removed. */
  readonly isFirstOfRecord?: boolean;
}

export function unconfirmed(holder: Holder, { snapshot }: Pick<Swapped<unknown>, "snapshot">): UnconfirmedGrant {
  return { holder, isFirstOfRecord: snapshot.record?.createdAtMs === holder.acquiredAtMs };
}
