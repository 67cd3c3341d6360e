import type { RenewCommand, RenewOptions, RenewReply } from "../../core/transition/renew.js";
import { S3MutexError } from "../../errors.js";
import { onAbort, unlessAborted } from "../base/abort.js";
import type { LockObject } from "../swap/lock-object.js";
import { renewingAll } from "../swap/repeatable.js";
import type { SwapOptions, Swapped } from "../swap/swap-options.js";
import { SharedLog } from "../swap/write-log.js";
import type { Standing } from "./standing.js";

/** What to renew, and how eagerly; the signal ends one renewal without touching the others. */
export interface Renewal {
  readonly command: Omit<RenewCommand, "attempted">;
  readonly options: SwapOptions & { readonly signal: AbortSignal };
}

/**
 * Renewals of one object that are due at about the same time, in one write. A semaphore's permits that are held here would
 * otherwise be written one after the other, and each write makes those of other processes fail.
 */
export class Renewals {
  readonly #object: LockObject;
  readonly #members: Renewal[] = [];
  #swapped: Promise<Swapped<ReadonlyMap<string, RenewReply>>> | undefined;

  constructor(object: LockObject) {
    this.#object = object;
  }

  /** Takes part in the one write, which begins when all who are asked have had their say. */
  async add(renewal: Renewal): Promise<Swapped<RenewReply>> {
    this.#members.push(renewal);
    this.#swapped ??= Promise.resolve().then(() => this.#swap());
    // Another member's lease may be longer, and its renewal go on after this one was stopped.
    const swapped = await unlessAborted(this.#swapped, renewal.options.signal);
    const reply = swapped?.reply.get(renewal.command.id);
    if (swapped !== undefined && reply !== undefined) return { ...swapped, reply };
    throw new S3MutexError("aborted", "stopped", { cause: renewal.options.signal.reason });
  }

  async #swap(): Promise<Swapped<ReadonlyMap<string, RenewReply>>> {
    const options = this.#members.map((member) => member.options);
    const stillWanted = () => this.#members.filter((member) => !member.options.signal.aborted);
    const ended = new AbortController();
    const forget = options.map(({ signal }) => onAbort(signal, () => stillWanted().length === 0 && ended.abort()));
    try {
      return await this.#object.swap(
        renewingAll(() =>
          stillWanted().map(({ command, options: { writeLog } }) => ({
            ...command,
            isOwn: (writeId: string) => writeLog.isOwn(writeId),
          })),
        ),
        {
          role: "holder",
          writeLog: new SharedLog(() => stillWanted().map((member) => member.options.writeLog)),
          timeoutMs: Math.min(...options.map(({ timeoutMs }) => timeoutMs)),
          // Whose own lease is over before ends by its own clock.
          untilMs: Math.max(...options.map(({ untilMs }) => untilMs)),
          onFailure: (error, isAnswered) => {
            for (const { onFailure } of options) onFailure?.(error, isAnswered);
          },
          onRefusal: (error) => {
            for (const { onRefusal } of options) onRefusal?.(error);
          },
          signal: ended.signal,
        },
      );
    } finally {
      for (const stop of forget) stop();
    }
  }
}

/** What one hold's renewals are judged by. */
interface Renewed {
  readonly isHeld: boolean;
  readonly standing: Pick<Standing, "quietSignal">;
  /** Renews it once; where it is gone, that ends it. */
  renewOnce(options: RenewOptions): Promise<void>;
  /** Ends it where its clocks say that it is over. */
  loseIfOver(): void;
}

/** The renewal of one hold that is under way: never two at once. */
export class OneRenewal {
  readonly #hold: Renewed;
  /** What was asked for last, and is not over yet. */
  #last: { readonly options: RenewOptions; readonly made: Promise<boolean> } | undefined;

  constructor(hold: Renewed) {
    this.#hold = hold;
  }

  get isUnderWay(): boolean {
    return this.#last !== undefined;
  }

  /** Renews it, after what is under way, or waits for that where it does all that is asked for; false where it is gone. */
  make(options: RenewOptions): Promise<boolean> {
    const before = this.#last;
    if (before !== undefined && isDoneBy(options, before.options)) return before.made;
    const made =
      before === undefined
        ? this.#untilHeld(options)
        : before.made.catch(() => {}).then(() => this.#untilHeld(options));
    const last = { options, made: made.finally(() => this.#forget(last)) };
    this.#last = last;
    return last.made;
  }

  #forget(over: object): void {
    if (this.#last === over) this.#last = undefined;
  }

  /** Waits until none is under way, whatever comes of it. */
  async settled(): Promise<void> {
    while (this.#last !== undefined) await this.#last.made.catch(() => {});
  }

  /**
   * Renews, and again where the clocks were set meanwhile. What was answered when its lease was over is lost, whatever the record says: no
   * caller is told that it is held.
   */
  async #untilHeld(options: RenewOptions): Promise<boolean> {
    const { quietSignal } = this.#hold.standing;
    try {
      while (!quietSignal.aborted) {
        await this.#hold.renewOnce(options);
        if (this.#hold.isHeld) return true;
        this.#hold.loseIfOver();
      }
      return false;
    } catch (error) {
      if (quietSignal.aborted) return false;
      throw error;
    }
  }
}

/** Says whether a renewal that was asked for with other options comes to the same, or makes a share of it besides. */
function isDoneBy(asked: RenewOptions, by: RenewOptions): boolean {
  return asked.onlyUnexpired === by.onlyUnexpired && (asked.mode === undefined || asked.mode === by.mode);
}

/** The renewals that this process makes of one object, gathered, and whether one of them is being written. */
export class OwnRenewals {
  readonly #object: LockObject;
  #gathering: Renewals | undefined;
  #underWay: Promise<unknown> | undefined;

  constructor(object: LockObject) {
    this.#object = object;
  }

  /** The one that is being written: a write of ours beside it would come in its way, or make it come too late. */
  get underWay(): Promise<unknown> | undefined {
    return this.#underWay;
  }

  /** Renews, in one write with those that the others ask for when they are told of it. */
  renew(renewal: Renewal, tellOthers: () => void): Promise<Swapped<RenewReply>> {
    if (this.#gathering !== undefined) return this.#gathering.add(renewal);
    const renewals = new Renewals(this.#object);
    const renewed = renewals.add(renewal);
    this.#gathering = renewals;
    tellOthers();
    this.#gathering = undefined;
    this.#underWay = renewed;
    const end = () => {
      if (this.#underWay === renewed) this.#underWay = undefined;
    };
    renewed.then(end, end);
    return renewed;
  }
}
