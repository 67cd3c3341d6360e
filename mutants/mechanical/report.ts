import type { Area } from "./areas.js";
import { fits } from "./explain.js";
import type { Fate } from "./hunt/messages.js";
import type { MechanicalMutant } from "./mechanical-mutant.js";

interface Hunted {
  /** Every mutant of the chosen files, and not a sample. */
  readonly isWhole: boolean;
  /** Some files of the area only: what is asked of all of it says nothing about them. */
  readonly isSingle: boolean;
}

type Fates = ReadonlyMap<MechanicalMutant, Fate>;

/** Says so of a mutant that goes unnoticed, as soon as that is known, unless it is explained. */
export function tellSurvivor({ explained }: Area, mutant: MechanicalMutant, fate: Fate): void {
  if (!isAlive(fate) || explained.some((one) => fits(one, mutant))) return;
  const { file, line, rule, search, replace } = mutant;
  console.log(`SURVIVED ${file}:${line} ${rule}: ${search} becomes ${replace}`);
}

/** Says what became of the mutants, file by file. Whether that is good enough. */
export function judge(area: Area, fates: Fates, { isWhole, isSingle }: Hunted): boolean {
  const { of, percent: least } = area.leastScore;
  const survivors = [...fates.keys()].filter((mutant) => isAlive(fates.get(mutant)));
  const scores = area.files.map((file) => tellOf(file, fates, of === "each" && isWhole ? least : 0));
  const explained = tellExplanations(area, survivors, isWhole);
  const percent = score(fates.size, survivors.length);
  const endless = [...fates.values()].filter((fate) => fate === "endless").length;
  console.log(
    `${area.name}: ${fates.size} mutants (${endless} without end), ${survivors.length} survived of which ` +
      `${explained.fitting} explained, score ${percent.toFixed(1)} %`,
  );
  const needed = isWhole ? least : least - 2 * standardError(least, fates.size);
  const isHigh = of === "each" ? scores.every(Boolean) : isSingle || percent >= needed;
  if (!isHigh) console.log(`TOO LOW: at least ${needed.toFixed(1)} % of ${of === "each" ? "each file" : "all"}`);
  const isExplained = explained.fitting === survivors.length && explained.stale === 0;
  if (!isExplained)
    console.log(
      "NOT EXPLAINED: mutants/mechanical/explained has to say of each survivor, and of nothing else, why it lives",
    );
  return isHigh && isExplained;
}

/** Says how far the score of a sample is off that of all, in percent: one in forty is further below than twice that by chance. */
function standardError(percent: number, size: number): number {
  return size === 0 ? 0 : Math.sqrt((percent * (100 - percent)) / size);
}

function isAlive(fate: Fate | undefined): boolean {
  return fate === "survived" || fate === "unsettled";
}

/** Prints a line for the file, and says whether its score is high enough. */
function tellOf(file: string, fates: Fates, least: number): boolean {
  const own = [...fates].filter(([mutant]) => mutant.file === file);
  const survived = own.filter(([, fate]) => isAlive(fate)).length;
  const percent = score(own.length, survived);
  const isGood = percent >= least;
  const numbers = `${String(own.length).padStart(4)} mutants  ${String(survived).padStart(3)} survived`;
  console.log(`${file.padEnd(35)}${numbers}  ${percent.toFixed(1).padStart(5)} %${isGood ? "" : "  TOO LOW"}`);
  return isGood;
}

function score(all: number, survived: number): number {
  return all === 0 ? 100 : (100 * (all - survived)) / all;
}

/** Says which explanations have no survivor. */
function tellExplanations(
  { files, explained }: Area,
  survivors: readonly MechanicalMutant[],
  isWhole: boolean,
): { readonly fitting: number; readonly stale: number } {
  const fitting = survivors.filter((mutant) => explained.some((one) => fits(one, mutant))).length;
  const stale = isWhole
    ? explained.filter((one) => files.includes(one.file) && !survivors.some((mutant) => fits(one, mutant)))
    : [];
  for (const { file, search, replace } of stale)
    console.log(`explained, but no survivor: ${file}: ${search} becomes ${replace}`);
  return { fitting, stale: stale.length };
}
