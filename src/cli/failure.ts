import { S3MutexError, type S3MutexErrorCode } from "../errors.js";
import type { OptionSpecs } from "./base/command.js";
import { EXIT } from "./base/exit-codes.js";
import type { Output } from "./base/output.js";
import { inOwnWords } from "./base/own-words.js";
import { CommandError, FailureWithNote, UsageError } from "./base/usage-error.js";

interface Treatment {
  readonly exitCode: number;
  /** What to do, where the message does not say it itself. */
  readonly remedy?: string;
}

const TREATMENTS: Readonly<Record<S3MutexErrorCode, Treatment>> = {
  "timed-out": { exitCode: EXIT.notAcquired, remedy: "Wait longer, or try again later." },
  aborted: { exitCode: EXIT.failed },
  lost: { exitCode: EXIT.lost },
  deadlock: { exitCode: EXIT.notAcquired },
  "invalid-argument": { exitCode: EXIT.usage },
  "corrupt-record": { exitCode: EXIT.store, remedy: "Look at that object, and remove it if it is not a lock's." },
  "newer-schema": { exitCode: EXIT.store, remedy: "Upgrade s3-mutex here." },
  "no-such-bucket": { exitCode: EXIT.store },
  "access-denied": { exitCode: EXIT.store },
  "store-unavailable": { exitCode: EXIT.store },
  "store-unsafe": { exitCode: EXIT.store },
  "fenced-out": { exitCode: EXIT.lost },
  "permits-differ": { exitCode: EXIT.usage },
  closed: { exitCode: EXIT.internal },
};

/** Says what went wrong in a sentence, and what to do; returns the exit code. */
export function reportFailure(error: unknown, output: Output, context: FailureContext): number {
  if (error instanceof FailureWithNote) {
    const exitCode = reportFailure(error.cause, output, context);
    output.note(error.note);
    return exitCode;
  }
  const { sentence, exitCode } = describe(error, context);
  output.note(sentence);
  if (context.isDebugging && error instanceof Error) {
    output.noteLines(error.stack ?? String(error));
    if (error.cause instanceof Error) output.noteLines(`caused by ${error.cause.stack ?? String(error.cause)}`);
  }
  return exitCode;
}

export interface FailureContext {
  /** For the pointer to the help. */
  readonly commandName: string | undefined;
  /** Those that the command has. */
  readonly options?: OptionSpecs | undefined;
  /** The arguments of the call: it is not advised to do what it has done. */
  readonly given?: readonly string[] | undefined;
  readonly isDebugging: boolean;
}

function describe(
  error: unknown,
  { commandName, options = {}, given = [], isDebugging }: FailureContext,
): { sentence: string; exitCode: number } {
  const message = error instanceof Error ? error.message : String(error);
  const hasGiven = (name: string) => given.some((text) => text === `--${name}` || text.startsWith(`--${name}=`));
  if (error instanceof UsageError) {
    const help = commandName === undefined ? "s3-mutex --help" : `s3-mutex help ${commandName}`;
    return { sentence: `${message} See \`${help}\`.`, exitCode: EXIT.usage };
  }
  if (error instanceof CommandError) return { sentence: message, exitCode: EXIT.failed };
  if (S3MutexError.is(error)) {
    const { exitCode, remedy = regionRemedy(message) ?? networkRemedy(error, hasGiven) } = TREATMENTS[error.code];
    const ending = remedy === undefined ? "" : ` ${remedy}`;
    const sentence = inOwnWords(
      message.replace(/\.$/, ""),
      (name) => name in options && !hasGiven(name) && !NEVER_WITH[name]?.some(hasGiven),
    );
    return { sentence: `${sentence} (${error.code}).${ending}`, exitCode };
  }
  const missing = missingPackage(error);
  if (missing !== undefined) {
    return {
      sentence: `${missing} is not installed: npm install ${missing}, where s3-mutex is.`,
      exitCode: EXIT.usage,
    };
  }
  const hint = isDebugging ? "" : " --debug shows where.";
  return { sentence: `unexpected error: ${message.replace(/\.$/, "")}.${hint}`, exitCode: EXIT.internal };
}

/** Options that a command refuses together with one of these. */
const NEVER_WITH: Readonly<Record<string, readonly string[]>> = { "create-bucket": ["forget"] };

/** Names the package that was not found: the AWS SDK is brought along by the user that installs this. */
function missingPackage(error: unknown): string | undefined {
  const { code, message = "" } = error as { readonly code?: unknown; readonly message?: string };
  return code === "ERR_MODULE_NOT_FOUND" ? /Cannot find package '(@?[^']+)'/.exec(message)?.[1] : undefined;
}

/** Says what to do about the one thing that is often missing in the client's configuration. */
function regionRemedy(message: string): string | undefined {
  return message.includes("Region is missing") ? "Here that is --region or AWS_REGION." : undefined;
}

/**
 * Says what to do about a store that has not answered, by the words of Node. Whatever did answer has said itself what the matter is, and
 * a wrong remedy is worse than none.
 */
function networkRemedy({ code, message }: S3MutexError, hasGiven: (name: string) => boolean): string | undefined {
  if (code !== "store-unavailable") return undefined;
  const found = NETWORK_REMEDIES.find(([pattern]) => pattern.test(message))?.[1];
  const isOtherBundle = found?.includes("--ca-bundle") && hasGiven("ca-bundle");
  const remedy = isOtherBundle ? "The file of --ca-bundle does not have the certificates to know the store by." : found;
  // `doctor` is told of several endpoints.
  return message.startsWith("The gateway ") ? remedy?.replace("--endpoint-url", "--gateway") : remedy;
}

const NETWORK_REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/\bEPROTO\b|\bERR_SSL_|\bHPE_INVALID/, "Check whether --endpoint-url begins with http:// or https:// as it should."],
  [
    /\b(?:CERT_(?!HAS_EXPIRED|NOT_YET)|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY))/,
    "Say with --ca-bundle which certificates to know the store by.",
  ],
  [/\bCERT_(?:HAS_EXPIRED|NOT_YET)/, "Have the store's certificate renewed, or the clock of this machine set right."],
  [/\bERR_TLS_CERT_ALTNAME_INVALID\b/, "The certificate is another host's: check --endpoint-url and --addressing."],
  [
    /\b(?:ECONN\w+|ENOTFOUND|EAI_\w+|EHOST\w+|ENET\w+|ETIMEDOUT|EPIPE|OutOfTime|TimeoutError)\b|has not answered within|Nothing came, or nothing has left/,
    "Check --endpoint-url and the network, then try again.",
  ],
  [/\b(?:429|5\d\d) [A-Z]/, "Try again later."],
];
