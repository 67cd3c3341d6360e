/**
 * What the CLI exits with; `docs/guide/cli.md` has the same table. `run` passes on its command's own code, so its codes for
 * everything else are numbers that commands rarely use: those of sysexits.h and the one after them.
 */
export const EXIT = {
  ok: 0,
  /** Something that has no code of its own, such as a port that is taken, a demo that failed, a store that `doctor` finds unsafe. */
  failed: 1,
  usage: 2,
  /** EX_UNAVAILABLE: the store could not be reached, refused, or holds something that is not a lock. */
  store: 69,
  /** EX_SOFTWARE: a bug in this program. */
  internal: 70,
  /** EX_TEMPFAIL: another caller has the lock. `-E` replaces it. */
  notAcquired: 75,
  /** The lock was lost, or about to be, while the command ran. */
  lost: 79,
  /** As in shells: the command is there and cannot be executed. */
  notExecutable: 126,
  /** As in shells: there is no such command. */
  notFound: 127,
} as const;

/** Says, as shells do, what a process that died of a signal is reported as. */
export function exitCodeOfSignal(signalNumber: number): number {
  return 128 + signalNumber;
}
