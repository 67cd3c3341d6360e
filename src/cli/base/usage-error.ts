/** Something on the command line or in the environment that cannot be right; the message is one sentence with the remedy. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something else that the user can put right: one sentence, exit code 1, no pointer to the help. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
