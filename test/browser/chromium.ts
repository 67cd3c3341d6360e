import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge"];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** The machine's own Chromium: `CHROMIUM_PATH`, or what is found under the usual names. */
export const CHROMIUM = process.env["CHROMIUM_PATH"] ?? [...onPath(), ...PLACES].find((path) => existsSync(path));

/** Says whether there is no Chromium, and prints that tests are skipped then; throws in CI. */
export function isChromiumMissing(): boolean {
  if (CHROMIUM !== undefined) return false;
  if (process.env["CI"] !== undefined) throw new Error("There is no Chromium: install it or set CHROMIUM_PATH.");
  console.log("skipped: no Chromium (install it, or set CHROMIUM_PATH)");
  return true;
}

export function launchChromium(): Promise<Browser> {
  // In a container there is no user whom a sandbox could protect.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: CHROMIUM as string, args });
}

function onPath(): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
}
