import { ghostAfter, problemOfChange, robbedBy, type Violation } from "./checker.js";
import * as loop from "./client.js";
import { applyRequest, canStillLand, holds, isAwaited, isWriteOf, replaceRequest, settle } from "./network.js";
import {
  type Budget,
  type Client,
  clientAt,
  edit,
  fork,
  type Operation,
  type Request,
  TICK_MS,
  type World,
} from "./state.js";

/** Every event that can happen in a state. The order is fixed: a path can be told by the number of each event. */

export type Happened = (next: World, event: Event, violation?: Violation) => void;

/** What happened, for people. */
export interface Event {
  readonly actor: number;
  readonly says: string;
  readonly request?: Request;
}

type Trouble = keyof Budget;

export function eventsIn(scene: loop.Scene, world: World, happened: Happened): void {
  for (let index = 0; index < world.clients.length; index += 1) {
    if (scene.config.clients[index]?.kind === "operator") operatorEvents(scene, world, index, happened);
    else clientEvents(scene, world, index, happened);
    loopEvents(scene, world, index, "main", happened);
    loopEvents(scene, world, index, "side", happened);
  }
  for (const request of world.requests) requestEvents(scene, world, request, happened);
  timeEvents(scene, world, happened);
}

// ---------------------------------------------------------------------------------------------------------------------

/** Makes the next state by letting one actor do something. */
function act(scene: loop.Scene, world: World, index: number, change: (actor: loop.Actor) => void): World {
  const next = fork(world);
  change(loop.actorIn(scene, next, index));
  return settled(scene, next);
}

function settled(scene: loop.Scene, next: World): World {
  settle(next, scene.config, scene.subject.rules);
  return next;
}

function spend(world: World, trouble: Trouble): World {
  return { ...fork(world), budget: { ...world.budget, [trouble]: world.budget[trouble] - 1 } };
}

function clientEvents(scene: loop.Scene, world: World, index: number, happened: Happened): void {
  const client = clientAt(world, index);
  const tell = (says: string, change: (actor: loop.Actor) => void, from = world) =>
    happened(act(scene, from, index, change), { actor: index, says });
  switch (client.phase) {
    case "dead":
      return;
    case "idle":
      if (client.main === undefined && client.acquisitions < (scene.config.clients[index]?.acquisitions ?? 0)) {
        tell("begins to acquire the lock", loop.beginAcquisition);
      }
      return;
    case "waiting":
      tell("looks at the lock again", (actor) => {
        loop.look(actor);
        loop.receiveRead(actor, "main");
      });
      if (world.budget.slow > 0) {
        tell("looks at the lock again; the answer takes its time", loop.look, spend(world, "slow"));
      }
      break;
    case "holding":
      if (client.main === undefined) tell("renews its lease", loop.beginRenewal);
      tell("releases the lock", loop.beginRelease);
      if (loop.beliefMs(scene, world, client) <= 0) tell("notices that its deadline has passed", loop.lose);
      break;
  }
  const isAsking = client.phase === "asking" || client.phase === "waiting" || client.phase === "confirming";
  if (world.budget.giveUp > 0 && isAsking && !client.stopped) tell("gives up", loop.giveUp, spend(world, "giveUp"));
  if (world.budget.crash > 0) tell("crashes", loop.crash, spend(world, "crash"));
  const { side } = client;
  const hasFailed = side?.operation === "release" && side.step === "reading" && side.sent.length > 0;
  if (hasFailed && loop.beliefMs(scene, world, client) <= 0) {
    tell("stops trying to release: its lease is over", loop.failRelease);
  }
}

function operatorEvents(scene: loop.Scene, world: World, index: number, happened: Happened): void {
  if (clientAt(world, index).phase !== "idle") return;
  for (const operation of ["force", "delete", "cleanup"] as const) {
    if (world.budget[operation] === 0) continue;
    const next = act(scene, spend(world, operation), index, (actor) => loop.beginCommand(actor, operation));
    happened(next, { actor: index, says: `begins: ${NAME_OF_COMMAND[operation]}` });
  }
}

const NAME_OF_COMMAND = { force: "force release", delete: "delete the lock", cleanup: "cleanup" };

/** What can happen to one compare-and-swap loop while it reads, and between the answer and the next request. */
function loopEvents(scene: loop.Scene, world: World, index: number, slot: loop.Slot, happened: Happened): void {
  const client = clientAt(world, index);
  const thread = client[slot];
  if (thread === undefined) return;
  const tell = (says: string, change: (actor: loop.Actor) => void, from = world) =>
    happened(act(scene, from, index, change), { actor: index, says });
  if (thread.step === "reading") {
    const doingWhat = doing(thread.operation);
    tell(`${doingWhat}: its read is answered`, (actor) => {
      loop.serveRead(actor, slot);
      loop.receiveRead(actor, slot);
    });
    if (world.budget.slow > 0) {
      const says = `${doingWhat}: its read is served, but the answer takes its time`;
      tell(says, (actor) => loop.serveRead(actor, slot), spend(world, "slow"));
    }
    if (slot === "main" && client.stopped) tell(`${doing(thread.operation)}: its loop ends`, loop.endAborted);
  }
  if (thread.step === "read") {
    tell(`${doing(thread.operation)}: the answer to its read arrives`, (actor) => loop.receiveRead(actor, slot));
  }
}

export function doing(operation: Operation): string {
  const words = { acquire: "acquiring", renew: "renewing", confirm: "confirming", release: "releasing" };
  return operation in words
    ? words[operation as keyof typeof words]
    : operation === "cancel"
      ? "cancelling"
      : operation;
}

// ---------------------------------------------------------------------------------------------------------------------

/** What can happen to a request: applied, refused, answered, its answer lost, repeated by a proxy, late. */
function requestEvents(scene: loop.Scene, world: World, request: Request, happened: Happened): void {
  const { config, subject } = scene;
  const isDue = canStillLand(world, config, request, subject.rules);
  if (isDue && holds(world, request)) land(scene, world, request, happened);
  const slot = slotOf(clientAt(world, request.client), request);
  if (slot === undefined) return;
  const actor = request.client;
  const answer = (says: string, from: World, change: (actor: loop.Actor) => void, ...left: readonly Request[]) => {
    const next = fork(from);
    replaceRequest(next, request, ...left);
    change(loop.actorIn(scene, next, actor));
    happened(settled(scene, next), { actor, says: `${doing(request.operation)}: ${says}`, request });
  };
  const conflict = (one: loop.Actor) => loop.receiveConflict(one, slot, request);
  const nothing = (one: loop.Actor) => loop.receiveNothing(one, slot);
  if (request.applied) {
    answer("the answer to its write arrives: done", world, (one) => loop.receiveSuccess(one, slot, request));
    if (world.budget.lost > 0) answer("the answer to its write is lost", spend(world, "lost"), nothing);
    if (world.budget.twice > 0) {
      answer("its write came twice; the second copy is answered: conflict", spend(world, "twice"), conflict);
    }
    return;
  }
  if (!holds(world, request)) answer("its write is refused: conflict", world, conflict);
  else if (world.budget.refused > 0)
    answer("its write is refused for no reason: 409", spend(world, "refused"), conflict);
  if (world.budget.lost > 0) answer("its write is not answered in time", spend(world, "lost"), nothing, request);
}

function slotOf(client: Client, request: Request): loop.Slot | undefined {
  if (isWriteOf(client.main, request)) return "main";
  return isWriteOf(client.side, request) ? "side" : undefined;
}

/** The store applies it. Nobody waits for a late one; of a create, a second copy may still be under way. */
function land(scene: loop.Scene, world: World, request: Request, happened: Happened): void {
  const left = isAwaited(world, request) ? [{ ...request, applied: true }] : [];
  landWith(scene, world, request, left, happened);
  const canReturn = scene.config.removal !== undefined && request.condition === 0;
  if (!canReturn || world.budget.twice === 0) return;
  // The copy belongs to nobody: its write has another name in the books of the network, but not in the body.
  landWith(scene, spend(world, "twice"), request, [...left, { ...request, write: COPY }], happened);
}

const COPY = -1;

function landWith(
  scene: loop.Scene,
  world: World,
  request: Request,
  left: readonly Request[],
  happened: Happened,
): void {
  const next = fork(world);
  applyRequest(next, request);
  replaceRequest(next, request, ...left);
  next.ghost = ghostAfter(world, request.version);
  for (const index of robbedBy(world, request)) edit(next, index).robbed = true;
  const violation = problemOfChange(world, settled(scene, next), request, scene.config);
  const how = isAwaited(world, request) ? "the store applies its write" : "its late write lands";
  const says = `${doing(request.operation)}: ${how}${request.version === undefined ? " (the object is removed)" : ""}`;
  happened(next, { actor: request.client, says, request }, violation);
}

// ---------------------------------------------------------------------------------------------------------------------

function timeEvents(scene: loop.Scene, world: World, happened: Happened): void {
  const { config } = scene;
  if (world.budget.seconds === 0) return;
  happened(passTime(scene, world, undefined), { actor: -1, says: "a second passes" });
  if (world.budget.pause === 0) return;
  for (const [index, plan] of config.clients.entries()) {
    const { phase } = clientAt(world, index);
    if (plan.kind === "operator" || phase === "dead" || phase === "idle") continue;
    const says = "a second passes, in which it is suspended and its monotonic clock stands still";
    happened(passTime(scene, spend(world, "pause"), index), { actor: index, says });
  }
}

function passTime(scene: loop.Scene, world: World, suspended: number | undefined): World {
  const next = Number.isFinite(world.budget.seconds) ? spend(world, "seconds") : fork(world);
  next.now += 1;
  if (suspended !== undefined) {
    const client = edit(next, suspended);
    client.lagMs += TICK_MS;
    client.disturbed = true;
  }
  return settled(scene, next);
}
