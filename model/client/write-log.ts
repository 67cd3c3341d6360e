import { answered } from "../../src/core/client/write-log.js";
import { clientAt, edit, writeId } from "../state.js";
import type { Actor } from "./actor.js";

/** Notes that a write was answered; of a transfer, that is in the logs of both. */
export function noteAnswered({ world, client, index }: Actor, write: number): void {
  const id = writeId(write);
  for (let at = 0; at < world.clients.length; at += 1) {
    const { writeLog } = at === index ? client : clientAt(world, at);
    if (!writeLog.sent.some((sent) => sent.writeId === id && sent.isUnresolved)) continue;
    (at === index ? client : edit(world, at)).writeLog = answered(writeLog, id);
  }
}
