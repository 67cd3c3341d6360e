import { defaultOncePrefix, defaultSemaphorePrefix } from "../../arguments/defaults.js";
import type { Command, OptionSpec } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { UsageError } from "../base/usage-error.js";
import { DOCUMENTS } from "../policy/names.js";
import { LOOK_OPTIONS, storeAt } from "../store/store-options.js";

type Taken = "store" | "prefix" | "key-prefix" | "region";

const { store, prefix, "key-prefix": keyPrefix, region } = LOOK_OPTIONS as Record<Taken, OptionSpec>;

export const policy: Command = {
  usage: ["policy [options] [s3://BUCKET/PREFIX/]"],
  about: `
Prints what to set up for locks in this bucket, without asking the store for anything:

  iam        a policy for the role or user of processes that lock: these actions, on these prefixes only
  lifecycle  a rule for the bucket that expires locks at rest, and old versions where there is versioning
  bucket     optional: a policy for the bucket that refuses writes and deletes of locks without a condition,
             so that no other program, and no s3-mutex 1.x, overwrites a lock unseen

Exit codes: ${EXIT.ok}; ${EXIT.usage} usage.`,
  options: {
    only: { type: "string", value: DOCUMENTS.join("|"), help: "Print this document alone, to be piped" },
    days: { type: "string", value: "N", help: "Expire after so many days; longer than any lease (default: 1)" },
    "kms-key": { type: "string", value: "ARN", help: "The key that the bucket is encrypted with" },
    "with-doctor": { type: "boolean", help: "Allow what `doctor` reads about the bucket as well" },
    json: { type: "boolean", help: "One line of JSON with all documents" },
    "once-prefix": {
      type: "string",
      value: "PREFIX",
      help: "The library's oncePrefix (default: once/ and the prefix)",
    },
    "semaphore-prefix": {
      type: "string",
      value: "PREFIX",
      help: "The library's semaphorePrefix (default: semaphores/ and the prefix)",
    },
    store,
    prefix,
    "key-prefix": keyPrefix,
    region: { ...region, help: "Decides about the partition: cn- and us-gov- have ARNs of their own" },
  },
  examples: [
    { about: "All of it, with explanations", line: "s3-mutex policy s3://my-bucket/locks/" },
    {
      about: "Set the lifecycle rule (it replaces the bucket's rules)",
      line:
        "s3-mutex policy --only lifecycle s3://my-bucket/locks/ > rule.json &&\n" +
        "  aws s3api put-bucket-lifecycle-configuration --bucket my-bucket --lifecycle-configuration file://rule.json",
    },
  ],
  async run(input, output) {
    const { values } = input;
    const address = storeAt(input);
    const settings = {
      oncePrefix: values.word("once-prefix") ?? defaultOncePrefix(address.keyPrefix),
      semaphorePrefix: values.word("semaphore-prefix") ?? defaultSemaphorePrefix(address.keyPrefix),
      days: values.wholeNumber("days", { min: 1, max: 36_500 }) ?? 1,
      kmsKey: values.word("kms-key"),
      withDoctor: values.flag("with-doctor"),
      region: values.word("region") ?? input.environment["AWS_REGION"] ?? input.environment["AWS_DEFAULT_REGION"] ?? "",
    };
    const only = values.oneOf("only", DOCUMENTS);
    const { documentsFor, reachedToo, showDocuments } = await import("../policy/documents.js");
    const documents = documentsFor(address, settings);
    const reached = reachedToo(address.keyPrefix, settings);
    if (reached !== undefined) {
      const sentence = `a lifecycle rule for what starts with ${JSON.stringify(address.keyPrefix)} would expire ${reached.what} as well: ${reached.remedy}`;
      if (only === "lifecycle") throw new UsageError(`${sentence}.`);
      if (only === undefined) output.note(`${sentence}; the rule is left out.`);
    }
    if (values.flag("json")) output.json(only === undefined ? documents : documents[only]);
    else if (only !== undefined) output.line(JSON.stringify(documents[only], undefined, 2));
    else showDocuments(address, documents, output);
    return EXIT.ok;
  },
};
