import { readFile } from "node:fs/promises";
// biome-ignore lint/style/noRestrictedImports: as the SDK finds its files; a simulation has no S3 client that would ask.
import { homedir } from "node:os";
import { join } from "node:path";
// biome-ignore lint/style/noRestrictedImports: as the SDK reads its settings.
import { env } from "node:process";

/** A setting that was found, and where: the beginning of a sentence about it. */
export interface Configured {
  readonly text: string;
  readonly from: string;
}

/**
 * Finds a setting as the SDK does: in the environment, or else in the profile of AWS's shared configuration file. The SDK itself does not
 * tell a setting from its own default. Undefined where it is in neither.
 */
export async function configuredSetting(setting: string, profile: string | undefined): Promise<Configured | undefined> {
  const variable = `AWS_${setting.toUpperCase()}`;
  const inEnvironment = env[variable];
  if (inEnvironment !== undefined && inEnvironment !== "")
    return { text: inEnvironment, from: `The environment variable ${variable}` };
  const name = profile ?? env["AWS_PROFILE"] ?? "default";
  try {
    // In here, since Deno wants a permission for the home folder as well.
    const file = env["AWS_CONFIG_FILE"] ?? join(homedir(), ".aws", "config");
    const text = settingIn(await readFile(file, "utf8"), name, setting);
    return text === undefined
      ? undefined
      : { text, from: `${setting} of the profile ${JSON.stringify(name)} in ${file}` };
  } catch {
    return undefined;
  }
}

function settingIn(text: string, profile: string, setting: string): string | undefined {
  let isInProfile = false;
  let found: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[\s*(?:profile\s+)?["']?([^\]"']*?)["']?\s*\]/.exec(line)?.[1];
    if (section !== undefined) isInProfile = section === profile;
    // Lines that begin with a space belong to a setting above them.
    const [, key, value] = /^([\w.-]+)\s*=\s*(.*?)\s*(?:\s[#;].*)?$/.exec(line) ?? [];
    if (isInProfile && key?.toLowerCase() === setting && value !== undefined) found = value;
  }
  return found;
}
