import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { CHECKSUM_WORDS, type ChecksumWord } from "./checksum-words.js";
import { configuredSetting } from "./profile.js";

/**
 * Makes a client for callers that give a configuration instead of a client. Unless configuration, environment or profile say otherwise,
 * checksums only where S3 wants them: the default of newer SDKs is what several S3-compatible stores refuse, and a lock record needs none.
 */
export function createS3Client(config: S3ClientConfig): S3Client {
  const { requestChecksumCalculation, responseChecksumValidation } = config;
  return new S3Client({
    ...config,
    requestChecksumCalculation:
      requestChecksumCalculation ?? once(() => configured("request_checksum_calculation", config)),
    responseChecksumValidation:
      responseChecksumValidation ?? once(() => configured("response_checksum_validation", config)),
    ...FILES_ANEW,
  });
}

/**
 * The SDK passes the configuration on to its chain of credential providers, and keeps files in memory forever otherwise: when
 * credentials are asked for anew, a file that was rewritten meanwhile is read again.
 */
const FILES_ANEW: object = { ignoreCache: true };

/** Asks at the first call only: the SDK asks for these settings several times a request, and a file is read for each answer. */
function once<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let answer: Promise<Result> | undefined;
  return () => (answer ??= ask());
}

type Setting = "request_checksum_calculation" | "response_checksum_validation";

/** Asks for a setting. @throws Error BadSetting: what is misspelt may have been meant to matter, and the SDK refuses it as well. */
async function configured(setting: Setting, { profile }: S3ClientConfig): Promise<ChecksumWord> {
  const found = await configuredSetting(setting, profile);
  if (found === undefined || found.text === "") return "WHEN_REQUIRED";
  const { text, from } = found;
  const word = CHECKSUM_WORDS.find((one) => one === text.trim().toUpperCase());
  if (word !== undefined) return word;
  throw Object.assign(new Error(`${from} is ${JSON.stringify(text)}`), { name: "BadSetting" });
}
