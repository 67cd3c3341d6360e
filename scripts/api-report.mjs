// Writes what the package exports, by entry, to api/*.api.md, to be reviewed in diffs; `--check` compares instead.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { root, run } from "./tools.mjs";

const ENTRIES = {
  "s3-mutex.api.md": "dist/index.d.ts",
  "s3-mutex-fetch.api.md": "dist/fetch/index.d.ts",
  "s3-mutex-port.api.md": "dist/port/index.d.ts",
  "s3-mutex-r2.api.md": "dist/r2/index.d.ts",
  "s3-mutex-otel.api.md": "dist/otel/index.d.ts",
  "s3-mutex-testing.api.md": "dist/testing/index.d.ts",
  "s3-mutex-web-locks.api.md": "dist/web-locks/index.d.ts",
};
const check = process.argv.includes("--check");
const folder = join(root, "api");
const fresh = mkdtempSync(join(tmpdir(), "s3-mutex-api-"));

try {
  for (const [report, entry] of Object.entries(ENTRIES)) await reportOn(report, entry);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

async function reportOn(report, entry) {
  const messages = [];
  const result = Extractor.invoke(ExtractorConfig.prepare(configuration(report, entry)), {
    localBuild: !check,
    messageCallback(message) {
      message.handled = true;
      if (message.logLevel === "error") messages.push(message.text);
    },
  });
  const same = !(check && result.apiReportChanged);
  console.log(`${report}: ${same ? (result.apiReportChanged ? "written" : "unchanged") : "differs; run: npm run api"}`);
  if (!same && existsSync(join(folder, report))) await printDifference(report);
  for (const message of messages) console.log(`  ${message}`);
  if (!same || messages.length > 0) process.exitCode = 1;
}

async function printDifference(report) {
  const before = join(folder, report);
  const after = join(fresh, report);
  const { output } = await run("git", ["diff", "--no-index", "--unified=1", "--", before, after]);
  const lines = output.split("\n").filter((line) => /^[-+ @]/.test(line) && !/^(---|\+\+\+) /.test(line));
  console.log(lines.map((line) => `  ${line}`).join("\n"));
}

function configuration(report, entry) {
  const silent = { logLevel: "none" };
  return {
    configObjectFullPath: join(root, "api-extractor.json"),
    packageJsonFullPath: join(root, "package.json"),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, entry),
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: "ES2023",
            lib: ["ES2023", "ESNext.Disposable"],
            module: "NodeNext",
            types: ["node"],
            strict: true,
            skipLibCheck: true,
          },
          files: [entry],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: basename(report),
        reportFolder: folder,
        reportTempFolder: fresh,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: "error" } },
        extractorMessageReporting: {
          default: { logLevel: "warning", addToApiReportFile: true },
          // Everything that is exported is public; there are no release tags here.
          "ae-missing-release-tag": silent,
          // Shown in the report at the declaration; the list at its end has line numbers, which change for no reason.
          "ae-undocumented": silent,
          "ae-unresolved-link": silent,
        },
        tsdocMessageReporting: { default: silent },
      },
    },
  };
}
