import { CONFIGURATIONS } from "./configurations.js";
import { explore } from "./explore.js";
import { REAL } from "./subject.js";
import { describe } from "./trace.js";

for (const c of CONFIGURATIONS) {
  const r = explore(c, REAL, { depth: c.depth, states: 1.2e6 });
  console.log(c.name, r.states, r.transitions, r.depth, r.end, Math.round(r.ms));
  if (r.found) console.log(describe({ config: c, subject: REAL }, r.found));
}
