import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Values by name; what is indented below a name without a value is a table of its own. */
export type Section = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** What of the AWS CLI's files concerns how a store is reached. */
export interface Profile {
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** `path`, `virtual` or `auto`. */
  readonly addressing: string | undefined;
  readonly caBundle: string | undefined;
}

/** Names the files that the AWS CLI and the SDK read, that of the configuration first. */
export function sharedFiles(environment: NodeJS.ProcessEnv): readonly [string, string] {
  const inHome = (name: string) => join(environment["HOME"] ?? homedir(), ".aws", name);
  const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = environment as Record<string, string | undefined>;
  return [AWS_CONFIG_FILE ?? inHome("config"), AWS_SHARED_CREDENTIALS_FILE ?? inHome("credentials")];
}

/** Reads what the profile of that name says; undefined where neither file has it. */
export function readProfile(name: string, environment: NodeJS.ProcessEnv): Profile | undefined {
  const [config, credentials] = sharedFiles(environment).map((path) => parseIni(contentOf(path))) as [Ini, Ini];
  const configured = config.get(`profile ${name}`) ?? (name === "default" ? config.get("default") : undefined);
  const section = merged(credentials.get(name), configured);
  if (section === undefined) return undefined;
  const services = textOf(section, "services");
  const ofS3 = services === undefined ? undefined : tableOf(config.get(`services ${services}`), "s3");
  const isIgnored = textOf(section, "ignore_configured_endpoint_urls")?.toLowerCase() === "true";
  return {
    endpoint: isIgnored ? undefined : (ofS3?.["endpoint_url"] ?? textOf(section, "endpoint_url")),
    region: textOf(section, "region"),
    addressing: tableOf(section, "s3")?.["addressing_style"],
    caBundle: textOf(section, "ca_bundle"),
  };
}

type Ini = ReadonlyMap<string, Section>;

/** Parses the format of the AWS CLI: sections, `name = value`, indented tables, and comments of whole lines or after a space. */
export function parseIni(text: string): Ini {
  const sections = new Map<string, Record<string, string | Record<string, string>>>();
  let section: Record<string, string | Record<string, string>> = {};
  let table: Record<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const heading = /^\s*\[\s*(.*?)\s*\]/.exec(line)?.[1];
    if (heading !== undefined) {
      const name = heading.replace(/^(\S+)\s+["']?(.*?)["']?$/, "$1 $2");
      section = sections.get(name) ?? {};
      sections.set(name, section);
      table = undefined;
      continue;
    }
    const [, indent = "", name = "", value = ""] = /^(\s*)([^=\s]+)\s*=\s*(.*?)(?:\s+[#;].*)?\s*$/.exec(line) ?? [];
    if (name === "") continue;
    if (indent !== "" && table !== undefined) {
      table[name] = value;
      continue;
    }
    table = value === "" ? {} : undefined;
    section[name] = table ?? value;
  }
  return sections;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // As for the AWS CLI, a file that is not there says nothing.
    return "";
  }
}

function merged(one: Section | undefined, other: Section | undefined): Section | undefined {
  return one === undefined && other === undefined ? undefined : { ...one, ...other };
}

function textOf(section: Section, name: string): string | undefined {
  const value = section[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function tableOf(section: Section | undefined, name: string): Readonly<Record<string, string>> | undefined {
  const value = section?.[name];
  return typeof value === "object" ? value : undefined;
}
