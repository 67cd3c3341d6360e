import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configuredSetting } from "./profile.js";

let home = "";

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "home-"));
  for (const name of ["AWS_COLOUR", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_CONFIG_FILE", join(home, "config"));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

const colour = async (profile?: string) => (await configuredSetting("colour", profile))?.text;

async function colourIn(text: string, profile?: string) {
  await writeFile(join(home, "config"), text);
  return await colour(profile);
}

it("a setting that the profile does not have is not found, nor a place of it", async () => {
  await writeFile(join(home, "config"), "[default]\nshape = round");
  expect(await configuredSetting("colour", undefined)).toBeUndefined();
});

describe("a setting is taken from", () => {
  it("the environment, before the file", async () => {
    vi.stubEnv("AWS_COLOUR", "red");
    expect(await colourIn("[default]\ncolour = blue")).toBe("red");
  });

  it("the file where the environment has it empty", async () => {
    vi.stubEnv("AWS_COLOUR", "");
    expect(await colourIn("[default]\ncolour = blue")).toBe("blue");
  });

  it("the profile that is named, before AWS_PROFILE, before the default one", async () => {
    const text = "[default]\ncolour = blue\n[profile one]\ncolour = green\n[profile two]\ncolour = white";
    expect(await colourIn(text)).toBe("blue");
    vi.stubEnv("AWS_PROFILE", "one");
    expect(await colour()).toBe("green");
    expect(await colour("two")).toBe("white");
  });

  it("the file in the home directory where none is named", async () => {
    vi.stubEnv("AWS_CONFIG_FILE", undefined);
    vi.stubEnv("HOME", home);
    vi.stubEnv("USERPROFILE", home);
    await mkdir(join(home, ".aws"));
    await writeFile(join(home, ".aws", "config"), "[default]\ncolour = blue");
    expect(await colour()).toBe("blue");
  });

  it("a place that is named with it", async () => {
    await writeFile(join(home, "config"), "[profile one]\ncolour = blue");
    const inFile = { text: "blue", from: `colour of the profile "one" in ${join(home, "config")}` };
    expect(await configuredSetting("colour", "one")).toEqual(inFile);
    vi.stubEnv("AWS_COLOUR", "red");
    const inEnvironment = { text: "red", from: "The environment variable AWS_COLOUR" };
    expect(await configuredSetting("colour", "one")).toEqual(inEnvironment);
  });

  it("nowhere where there is no file", async () => {
    expect(await colour()).toBeUndefined();
  });
});

it.each([
  ["[sealed]", "sealed"],
  ["[profile sealed]", "sealed"],
  ["  [  profile  sealed  ]", "sealed"],
  ['[profile "sealed"]', "sealed"],
  ["[profile 'sealed']", "sealed"],
  ["[profile sealed] # by hand", "sealed"],
  ["[profile sealed too]", "sealed too"],
])("%s begins the profile %s", async (line, profile) => {
  const text = `[other]\ncolour = red\n${line}\ncolour = blue\n[last]\ncolour = green`;
  expect(await colourIn(text, profile)).toBe("blue");
});

it.each(["[profile sealed too]", "[profile unsealed]", "# [profile sealed]", "profile sealed", ""])(
  "%j does not begin the profile sealed",
  async (line) => {
    expect(await colourIn(`${line}\ncolour = blue`, "sealed")).toBeUndefined();
  },
);

it.each([
  ["colour=blue", "blue"],
  ["colour  =  blue  ", "blue"],
  ["COLOUR = Blue", "Blue"],
  ["colour = light blue", "light blue"],
  ["colour = blue # as ever", "blue"],
  ["colour = blue  ;as ever", "blue"],
  ["colour = blue#1", "blue#1"],
  ["colour =", ""],
  ["colour = red\r\ncolour = blue\r", "blue"],
  ["shape = round\ncolour = blue\nsize = 1", "blue"],
])("%j sets it to %j", async (lines, value) => {
  expect(await colourIn(`[default]\r\n${lines}\n`)).toBe(value);
});

it.each([
  "  colour = blue",
  "\tcolour = blue",
  "# colour = blue",
  "colour",
  "my.colour = blue",
  "shape = colour = blue",
])("%j does not set it", async (line) => {
  expect(await colourIn(`[default]\ns3 =\n${line}\n`)).toBeUndefined();
});
