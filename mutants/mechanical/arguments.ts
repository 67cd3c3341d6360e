import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { wholeNumber } from "../../testkit/whole-number.js";
import { AREAS, type Area } from "./areas.js";

export interface MechanicalArguments {
  /** Each with the files of it that are chosen, which are some. */
  readonly areas: readonly Area[];
  readonly jobs: number;
  /** So many mutants of each area; all of them without it. */
  readonly sample: number | undefined;
}

export const USAGE = `npm run mutants:mechanical                                every area: ${AREAS.map(({ name }) => name).join(", ")}
npm run mutants:mechanical -- --of store/s3 --of runtime   these
npm run mutants:mechanical -- --only lease                 the files whose path inside their area contains it
npm run mutants:mechanical -- --file src/core/lease.ts     this file, judged by the tests of its area
npm run mutants:mechanical -- --tests src/runtime          judged only by the tests whose path contains it
npm run mutants:mechanical -- --sample 200                 so many mutants of each area, others with each commit
npm run mutants:mechanical -- --jobs 1                     in one process instead of one for each processor
npm run mutants:core                                       the same with --of core`;

/** @throws where an option is unknown, no file is chosen, or a number is not a number */
export function parseMechanicalArguments(args: readonly string[]): MechanicalArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      of: { type: "string", multiple: true, default: AREAS.map(({ name }) => name) },
      only: { type: "string", default: "" },
      file: { type: "string", multiple: true, default: [] },
      tests: { type: "string", multiple: true, default: [""] },
      sample: { type: "string" },
      jobs: { type: "string", default: String(availableParallelism()) },
    },
  });
  const named = values.of.map(areaNamed);
  const folders = named.map(({ folder }) => folder).join(" and ");
  for (const file of values.file) {
    if (named.some(({ files }) => files.includes(file))) continue;
    throw new Error(`--file: ${JSON.stringify(file)} is not one of the files of ${folders} that are broken by rule`);
  }
  const areas = named
    .map((area) => ({
      ...area,
      files: area.files.filter(
        (file) =>
          file.slice(area.folder.length).includes(values.only) &&
          (values.file.length === 0 || values.file.includes(file)),
      ),
      specs: area.specs.filter((spec) => values.tests.some((part) => spec.includes(part))),
    }))
    .filter(({ files }) => files.length > 0);
  if (areas.length === 0) {
    throw new Error(`--only: no file of ${folders} has ${JSON.stringify(values.only)} in its path`);
  }
  if (areas.some(({ specs }) => specs.length === 0)) {
    throw new Error(`--tests: no test of ${folders} has ${values.tests.join(" or ")} in its path`);
  }
  const sample = values.sample === undefined ? undefined : wholeNumber("sample", values.sample, { least: 1 });
  return { areas, jobs: wholeNumber("jobs", values.jobs, { least: 1 }), sample };
}

function areaNamed(name: string): Area {
  const area = AREAS.find((one) => one.name === name);
  if (area !== undefined) return area;
  throw new Error(`--of: ${JSON.stringify(name)} is not one of ${AREAS.map((one) => one.name).join(", ")}`);
}
