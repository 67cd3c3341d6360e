import { parseArgs } from "node:util";
import { boundOf, type Configuration } from "./configuration.js";
import { configurationNamed, configurations, type Form } from "./configurations.js";
import { type Exploration, explore } from "./explore.js";
import { REAL } from "./subject.js";
import { describe } from "./trace.js";

/**
 * `npm run model`: every interleaving within a bound, of each configuration; `-- --deep`: within a larger one;
 * `-- --only <name>`: of one configuration.
 */

/** Where a configuration has more states than this, the output says how deep all paths were followed; more need more memory. */
const MAX_STATES = { short: 100_000, long: 6_000_000 };

const { values } = parseArgs({ options: { deep: { type: "boolean" }, only: { type: "string" } } });
const form: Form = values.deep ? "long" : "short";
const chosen = values.only === undefined ? configurations(form) : [configurationNamed(values.only, form)];

const startedMs = performance.now();
const results = chosen.map(check);
const sum = (of: (result: Exploration) => number) => results.reduce((total, result) => total + of(result), 0);
const violations = results.filter(({ end }) => end === "violation").length;
const seconds = Math.round((performance.now() - startedMs) / 1000);
console.log(
  `${results.length} configurations, ${number(sum(({ states }) => states))} states, ` +
    `${number(sum(({ transitions }) => transitions))} transitions, ${violations} violations, ${seconds} s`,
);
process.exitCode = violations === 0 ? 0 : 1;

function check(config: Configuration): Exploration {
  console.log(`${config.name}: ${config.says}`);
  console.log(`  bound: ${boundOf(config)}`);
  const result = explore(config, REAL, MAX_STATES[form]);
  const { states, transitions, depth, end, ms, found } = result;
  const how = { exhausted: "all of it", states: `stopped; all paths of ${depth} events`, violation: "VIOLATION" }[end];
  console.log(
    `  ${number(states)} states, ${number(transitions)} transitions, ${depth} events deep, ` +
      `${(ms / 1000).toFixed(1)} s: ${how}`,
  );
  if (found !== undefined) console.log(describe({ config, subject: REAL }, found));
  return result;
}

function number(count: number): string {
  return count.toLocaleString("en");
}
