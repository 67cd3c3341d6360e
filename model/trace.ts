import type { Scene } from "./client/actor.js";
import { doing, type Event, eventsIn } from "./events.js";
import { beliefsIn, type Found, firstWorld } from "./explore.js";
import { clientOf, FIRST_TICK, indexWithinClient, numberOfAcquisition, TICK_MS, type World } from "./state.js";

/** Describes a violation as people read it: every event of a shortest path to it, and what it did. */
export function describe(scene: Scene, { violation, path }: Found): string {
  const lines = [`VIOLATION of "${violation.invariant}": ${violation.says}`];
  let before: World | undefined;
  for (const [index, { world, event }] of replay(scene, path).entries()) {
    const at = `${String(index + 1).padStart(3)}. ${String(world.now - FIRST_TICK).padStart(2)} s`;
    lines.push(`${at}  ${nameOf(scene, event)} ${event.says}${consequences(scene, before, world)}`);
    before = world;
  }
  return lines.join("\n");
}

interface Step {
  readonly world: World;
  readonly event: Event;
}

/** Goes one path again, event by event. */
function replay(scene: Scene, path: readonly number[]): readonly Step[] {
  const steps: Step[] = [];
  let world = firstWorld(scene.config);
  for (const ordinal of path) {
    const choices: Step[] = [];
    eventsIn(scene, world, (next, event) => choices.push({ world: next, event }));
    const taken = choices[ordinal];
    if (taken === undefined) throw new Error(`There is no event ${ordinal} in step ${steps.length + 1} of this path.`);
    steps.push(taken);
    ({ world } = taken);
  }
  return steps;
}

function nameOf(scene: Scene, { actor }: Event): string {
  if (actor === -1) return "          ";
  return scene.config.clients[actor]?.kind === "operator" ? "operator:  " : `client ${actor}:  `;
}

/** Says what is different after an event: requests sent, the object, who believes. */
function consequences(scene: Scene, before: World | undefined, after: World): string {
  const said: string[] = [];
  for (const { write, operation, condition, version, client } of after.requests) {
    if (write <= (before?.writes ?? 0)) continue;
    const how = condition === 0 ? "if absent" : `if version ${condition}`;
    const what = version === undefined ? "removal" : `write ${write}`;
    said.push(`client ${client} sends ${what} (${doing(operation)}), ${how}`);
  }
  if (after.object !== before?.object) said.push(`now ${objectIn(after)}`);
  const [was, is] = [before === undefined ? [] : beliefsIn(scene, before), beliefsIn(scene, after)];
  for (const [index, beliefMs] of is.entries()) {
    if (beliefMs > 0 && (was[index] ?? 0) <= 0) said.push(`client ${index} believes that it holds, for ${beliefMs} ms`);
    if (beliefMs <= 0 && (was[index] ?? 0) > 0) said.push(`client ${index} does not believe any more`);
  }
  return said.length === 0 ? "" : `\n            -> ${said.join("; ")}`;
}

function objectIn({ object }: World): string {
  if (object === undefined) return "there is no object";
  const { holders, queue, token, deleted } = object.record;
  const seconds = (ms: number) => `${(ms - FIRST_TICK * TICK_MS) / 1000} s`;
  const held = holders.map(({ id, expiresAtMs }) => `${nameOfId(id)} until ${seconds(expiresAtMs)}`);
  const waiting = queue.map(({ id }) => nameOfId(id));
  const parts = [
    held.length === 0 ? "free" : `held by ${held.join(" and ")}`,
    ...(waiting.length === 0 ? [] : [`waiting: ${waiting.join(", ")}`]),
    `token ${token === 0 ? 0 : seconds(token)}`,
    ...(deleted ? ["deleted"] : []),
  ];
  return `version ${object.etag}: ${parts.join(", ")}`;
}

function nameOfId(id: string): string {
  const acquisition = numberOfAcquisition(id);
  return `client ${clientOf(acquisition)}'s acquisition ${indexWithinClient(acquisition) + 1}`;
}
