import { forcedOutBy, ghostAfter, problemOfChange, type Violation } from "./checker.js";
import { beginAcquisition, beginResting, canGiveUp, giveUp, poll } from "./client/acquisition.js";
import { type Actor, actorIn, type Scene, type Slot } from "./client/actor.js";
import { askToStop, leave } from "./client/closing.js";
import { beginRelease, beginRenewal, beliefMs, failRelease, lose } from "./client/lease.js";
import * as steps from "./client/steps.js";
import { serveRead } from "./client/swap.js";
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

export function eventsIn(scene: Scene, world: World, happened: Happened): void {
  for (let index = 0; index < world.clients.length; index += 1) {
    clockEvents(scene, world, index, happened);
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
function act(scene: Scene, world: World, index: number, change: (actor: Actor) => void): World {
  const next = fork(world);
  change(actorIn(scene, next, index));
  return settled(scene, next);
}

function settled(scene: Scene, next: World): World {
  steps.takeDueTurns(scene, next);
  settle(next, scene.config);
  return next;
}

function spend(world: World, trouble: Trouble): World {
  return { ...fork(world), budget: { ...world.budget, [trouble]: world.budget[trouble] - 1 } };
}

function clientEvents(scene: Scene, world: World, index: number, happened: Happened): void {
  const client = clientAt(world, index);
  const tell = (says: string, change: (actor: Actor) => void, from = world) =>
    happened(act(scene, from, index, change), { actor: index, says });
  switch (client.phase) {
    case "dead":
    case "left":
      return;
    case "idle":
      if (mayBegin(scene, client, index)) {
        tell("begins to acquire the lock", beginAcquisition);
        if (isHeldHere(scene, world, index)) tell("begins to wait for one of its own process", beginResting);
      }
      return;
    case "waiting":
      tell("looks at the lock again", (actor) => {
        poll(actor);
        steps.receiveRead(actor, "main");
      });
      if (world.budget.slow > 0) {
        tell("looks at the lock again; the answer takes its time", poll, spend(world, "slow"));
      }
      break;
    case "holding":
      if (client.main === undefined) tell("renews its lease", beginRenewal);
      tell("releases the lock", beginRelease);
      if (beliefMs(scene, world, client) <= 0) tell("notices that its deadline has passed", lose);
      break;
  }
  closingEvents(client, world, tell);
  if (world.budget.crash > 0) tell("crashes", steps.crash, spend(world, "crash"));
  if (world.budget.giveUp > 0 && canGiveUp(client)) tell("gives up", giveUp, spend(world, "giveUp"));
  if (isReleasingInVain(client) && beliefMs(scene, world, client) <= 0) {
    tell("stops trying to release: its lease is over", failRelease);
  }
}

function mayBegin({ config }: Scene, { main, acquisitions, isClosing }: Client, index: number): boolean {
  return main === undefined && !isClosing && acquisitions < (config.clients[index]?.acquisitions ?? 0);
}

type Tell = (says: string, change: (actor: Actor) => void, from?: World) => void;

/**
 * Tells of `mutex.close()`: while it waits, while a grant is under way, while its function runs. That function may end, which gives the
 * lock back, or outlast the grace.
 */
function closingEvents({ isClosing, phase }: Client, world: World, tell: Tell): void {
  if (!isClosing && world.budget.close > 0) tell("is told to close", askToStop, spend(world, "close"));
  if (!isClosing) return;
  const why = phase === "holding" ? "its function has outlasted the grace" : "no answer came in time";
  tell(`is closed: ${why}`, leave);
}

/** Says whether it releases in vain, by `RetryBudget.failed`: the store is asked at least twice. */
function isReleasingInVain({ side }: Client): boolean {
  return side?.operation === "release" && side.step === "reading" && side.sent.length > 0;
}

/** Says whether another caller of the same process has the lock, for `LocalQueue.restMs`. */
function isHeldHere({ config }: Scene, world: World, index: number): boolean {
  const process = config.clients[index]?.process;
  if (process === undefined) return false;
  return world.clients.some(
    (other, at) => at !== index && config.clients[at]?.process === process && other.phase === "holding",
  );
}

function operatorEvents(scene: Scene, world: World, index: number, happened: Happened): void {
  if (clientAt(world, index).phase !== "idle") return;
  for (const operation of ["force", "delete", "cleanup"] as const) {
    if (world.budget[operation] === 0) continue;
    const next = act(scene, spend(world, operation), index, (actor) => steps.beginCommand(actor, operation));
    happened(next, { actor: index, says: `begins: ${NAME_OF_COMMAND[operation]}` });
  }
}

const NAME_OF_COMMAND = { force: "force release", delete: "delete the lock", cleanup: "cleanup" };

/** Tells what can happen to one compare-and-swap loop while it reads, and between the answer and the next request. */
function loopEvents(scene: Scene, world: World, index: number, slot: Slot, happened: Happened): void {
  const client = clientAt(world, index);
  const thread = client[slot];
  if (thread === undefined) return;
  const tell = (says: string, change: (actor: Actor) => void, from = world) =>
    happened(act(scene, from, index, change), { actor: index, says });
  if (thread.step === "reading") {
    const doingWhat = doing(thread.operation);
    tell(`${doingWhat}: its read is answered`, (actor) => {
      serveRead(actor, slot);
      steps.receiveRead(actor, slot);
    });
    if (world.budget.slow > 0) {
      const says = `${doingWhat}: its read is served, but the answer takes its time`;
      tell(says, (actor) => serveRead(actor, slot), spend(world, "slow"));
    }
    if (slot === "main" && client.stopped) tell(`${doing(thread.operation)}: its loop ends`, steps.endAborted);
  }
  if (thread.step === "read") {
    tell(`${doing(thread.operation)}: the answer to its read arrives`, (actor) => steps.receiveRead(actor, slot));
  }
}

export function doing(operation: Operation): string {
  const words = {
    poll: "looking",
    acquire: "acquiring",
    renew: "renewing",
    confirm: "confirming",
    release: "releasing",
  };
  return operation in words
    ? words[operation as keyof typeof words]
    : operation === "cancel"
      ? "cancelling"
      : operation;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Tells what can happen to a request: applied, refused, answered, its answer lost, repeated by a proxy, late. */
function requestEvents(scene: Scene, world: World, request: Request, happened: Happened): void {
  if (canStillLand(world, scene.config, request) && holds(world, request)) land(scene, world, request, happened);
  const slot = slotOf(clientAt(world, request.client), request);
  if (slot === undefined) return;
  const actor = request.client;
  const answer = (says: string, from: World, change: (actor: Actor) => void, ...left: readonly Request[]) => {
    const next = fork(from);
    replaceRequest(next, request, ...left);
    change(actorIn(scene, next, actor));
    happened(settled(scene, next), { actor, says: `${doing(request.operation)}: ${says}`, request });
  };
  const conflict = (one: Actor) => steps.receiveConflict(one, slot, request);
  const nothing = (one: Actor) => steps.receiveNothing(one, slot, request);
  if (request.applied) {
    answer("the answer to its write arrives: done", world, (one) => steps.receiveSuccess(one, slot, request));
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

function slotOf(client: Client, request: Request): Slot | undefined {
  if (isWriteOf(client.main, request)) return "main";
  return isWriteOf(client.side, request) ? "side" : undefined;
}

/** Lets the store apply it. No caller waits for a late one; of a create, a second copy may still be under way. */
function land(scene: Scene, world: World, request: Request, happened: Happened): void {
  const left = isAwaited(world, request) ? [{ ...request, applied: true }] : [];
  landWith(scene, world, request, left, happened);
  const canReturn = scene.config.removal !== undefined && request.condition === 0;
  if (!canReturn || world.budget.twice === 0) return;
  // The copy belongs to no client: its write has another name in the books of the network, but not in the body.
  landWith(scene, spend(world, "twice"), request, [...left, { ...request, write: COPY }], happened);
}

const COPY = -1;

function landWith(scene: Scene, world: World, request: Request, left: readonly Request[], happened: Happened): void {
  const next = fork(world);
  applyRequest(next, request);
  replaceRequest(next, request, ...left);
  next.ghost = ghostAfter(world, request.version);
  for (const index of forcedOutBy(world, request)) edit(next, index).forcedOut = true;
  const violation = problemOfChange(world, settled(scene, next), request, scene.config);
  const how = isAwaited(world, request) ? "the store applies its write" : "its late write lands";
  const says = `${doing(request.operation)}: ${how}${request.version === undefined ? " (the object is removed)" : ""}`;
  happened(next, { actor: request.client, says, request }, violation);
}

// ---------------------------------------------------------------------------------------------------------------------

function timeEvents(scene: Scene, world: World, happened: Happened): void {
  const { config } = scene;
  if (world.budget.seconds === 0) return;
  happened(passTime(scene, world, undefined), { actor: -1, says: "a second passes" });
  if (world.budget.pause === 0) return;
  for (const [index, plan] of config.clients.entries()) {
    const { phase } = clientAt(world, index);
    if (plan.kind === "operator" || phase === "dead" || phase === "left" || phase === "idle") continue;
    const says = "a second passes, in which it is suspended and its monotonic clock stands still";
    happened(passTime(scene, spend(world, "pause"), index), { actor: index, says });
  }
}

/** Lets a client know more, or less: an answer that was slow or quick, one that contradicts the others, a suspension. */
function clockEvents(scene: Scene, world: World, index: number, happened: Happened): void {
  const { clock, phase } = clientAt(world, index);
  if (world.budget.clock === 0 || phase === "dead" || phase === "left") return;
  for (const [other, { says }] of (scene.config.clients[index]?.clocks ?? []).entries()) {
    if (other === clock) continue;
    const next = act(scene, spend(world, "clock"), index, ({ client }) => {
      client.clock = other;
    });
    happened(next, { actor: index, says: `has another idea of store time: ${says}` });
  }
}

function passTime(scene: Scene, world: World, suspended: number | undefined): World {
  const next = spend(world, "seconds");
  next.now += 1;
  if (suspended !== undefined) {
    const client = edit(next, suspended);
    client.lagMs += TICK_MS;
    client.disturbed = true;
  }
  return settled(scene, next);
}
