import type { Mutant } from "../mutant.js";
import { BOUNDS } from "./protocol/bounds.js";
import { OUTCOMES } from "./protocol/outcomes.js";
import { QUEUE } from "./protocol/queue.js";
import { RECORD } from "./protocol/record.js";
import { REMOVAL } from "./protocol/removal.js";
import { TIME } from "./protocol/time.js";
import { BEGINNINGS } from "./seams/begins.js";
import { CLOSING } from "./seams/closing.js";
import { COMMAND_LINE } from "./seams/command-line.js";
import { ENDS } from "./seams/ends.js";
import { EVENTS } from "./seams/events.js";
import { IDENTITY } from "./seams/identity.js";
import { PERMITS } from "./seams/permits.js";
import { TELLING } from "./seams/telling.js";
import { VIRTUAL } from "./seams/virtual.js";
import { WEB_LOCKS } from "./seams/web-locks.js";
import { ANSWERS } from "./stores/answers.js";
import { EDGE } from "./stores/edge.js";
import { EXAMINATION } from "./stores/examination.js";
import { SAFETY } from "./stores/safety.js";
import { STORE_SEAM } from "./stores/store-seam.js";
import { VERSIONS } from "./stores/versions.js";

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
  ...BEGINNINGS,
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
  ...WEB_LOCKS,
  ...EXAMINATION,
];
