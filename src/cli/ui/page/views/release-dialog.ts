import type { LockView } from "../../wire.js";
import { element, setText } from "../base/dom.js";
import { forceRelease } from "../base/feed.js";
import { durationText, fullText, visible } from "../base/text.js";

const OUTCOMES = {
  released: "Released. The holder learns of it at its next renewal.",
  free: "It was not held any more: nothing was done.",
  changed: "Another holder has it by now: nothing was done. Look again before you decide.",
};

/** Asks before a hold is ended by force, and says what that means. */
export class ReleaseDialog {
  readonly #dialog: HTMLDialogElement;
  readonly #token: string;
  readonly #nowMs: () => number;
  readonly #question = element("p");
  readonly #holders = element("ul", { class: "parties" });
  readonly #answer = element("p", { class: "answer", role: "status" });
  readonly #cancel = element("button", { type: "button" }, "Cancel");
  readonly #confirm = element("button", { type: "button", class: "danger" }, "Release by force");
  #lock: LockView | undefined;

  constructor(dialog: HTMLDialogElement, token: string, nowMs: () => number) {
    this.#dialog = dialog;
    this.#token = token;
    this.#nowMs = nowMs;
    this.#cancel.addEventListener("click", () => dialog.close());
    this.#confirm.addEventListener("click", () => void this.#go());
    dialog.append(
      element("h2", { id: "release-title" }, "End this hold by force?"),
      this.#question,
      this.#holders,
      element(
        "p",
        {},
        "The holder goes on believing in its lock until its next renewal, and a waiter may start at once: for a moment " +
          "both may be at work. Only a resource that checks the fencing token is safe from that.",
      ),
      this.#answer,
      element("div", { class: "actions" }, this.#cancel, this.#confirm),
    );
  }

  /** Opens the dialog, and settles whom it is about: a holder that comes after is not meant. */
  open(lock: LockView): void {
    if (lock.holders.length === 0 || this.#dialog.open) return;
    this.#lock = lock;
    const nowMs = this.#nowMs();
    setText(this.#question, `The lock ${visible(lock.name)} is held by:`);
    this.#holders.replaceChildren(
      ...lock.holders.map((holder) => {
        const renewal = Math.max(0, holder.expiresAtMs - nowMs);
        const text = `token ${holder.token} · lease ends in ${durationText(renewal)} unless it is renewed`;
        return element(
          "li",
          {},
          element("div", { class: "who" }, fullText(holder)),
          element("div", { class: "muted" }, text),
        );
      }),
    );
    setText(this.#answer, "");
    setText(this.#cancel, "Cancel");
    this.#confirm.hidden = false;
    this.#confirm.disabled = false;
    this.#dialog.showModal();
    // The safe answer is the one at hand.
    this.#cancel.focus();
  }

  async #go(): Promise<void> {
    const lock = this.#lock;
    if (lock === undefined) return;
    this.#confirm.disabled = true;
    setText(this.#answer, "Releasing…");
    try {
      const tokens = lock.holders.map((holder) => holder.token);
      const outcome = await forceRelease(this.#token, { lockName: lock.name, tokens });
      setText(this.#answer, OUTCOMES[outcome]);
      this.#confirm.hidden = true;
    } catch (error) {
      setText(this.#answer, `It did not work: ${visible((error as Error).message)}`);
      this.#confirm.disabled = false;
    }
    setText(this.#cancel, "Close");
    this.#cancel.focus();
  }
}
