/** Something on the command line or in the environment that cannot be right; the message is one sentence with the remedy. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something else that the user can put right: one sentence, exit code 1, no pointer to the help. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** What ended a command, with something that is said after it: the cause comes first. */
export class FailureWithNote extends Error {
  readonly note: string;

  constructor(cause: unknown, note: string) {
    super("A command has failed", { cause });
    this.note = note;
  }
}
