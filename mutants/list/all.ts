import type { Mutant } from "../mutant.js";
import { ANSWERS } from "./answers.js";
import { BOUNDS } from "./bounds.js";
import { CLOSING } from "./closing.js";
import { COMMAND_LINE } from "./command-line.js";
import { EDGE } from "./edge.js";
import { ENDS } from "./ends.js";
import { EVENTS } from "./events.js";
import { IDENTITY } from "./identity.js";
import { OUTCOMES } from "./outcomes.js";
import { PERMITS } from "./permits.js";
import { QUEUE } from "./queue.js";
import { RECORD } from "./record.js";
import { REMOVAL } from "./removal.js";
import { SAFETY } from "./safety.js";
import { STORE_SEAM } from "./store-seam.js";
import { TELLING } from "./telling.js";
import { TIME } from "./time.js";
import { VERSIONS } from "./versions.js";
import { VIRTUAL } from "./virtual.js";

export const MUTANTS: readonly Mutant[] = [
  ...RECORD,
  ...OUTCOMES,
  ...TIME,
  ...BOUNDS,
  ...QUEUE,
  ...REMOVAL,
  ...COMMAND_LINE,
  ...ANSWERS,
  ...CLOSING,
  ...IDENTITY,
  ...ENDS,
  ...EVENTS,
  ...TELLING,
  ...STORE_SEAM,
  ...PERMITS,
  ...VIRTUAL,
  ...VERSIONS,
  ...SAFETY,
  ...EDGE,
];
