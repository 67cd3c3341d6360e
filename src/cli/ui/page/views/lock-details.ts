import type { HolderView, LockView, WaiterView } from "../../wire.js";
import { type App, stateText } from "../base/app.js";
import { element, setText } from "../base/dom.js";
import { heldMsOf, type Stint } from "../base/history.js";
import { clockText, counted, durationText, fullText, hueOf, spanText, visible } from "../base/text.js";

/** Everything about one lock. */
export class LockDetails {
  readonly #app: App;
  readonly #root: HTMLElement;
  readonly #name = element("h2", { id: "details-name", tabindex: -1 });
  readonly #facts = element("p", { class: "facts" });
  readonly #holders = element("div");
  readonly #queue = element("div");
  readonly #turns = element("div");
  readonly #release = element("button", { type: "button", class: "danger" }, "Force release…");
  #drawn = "";
  /** Texts that change as time passes, and nothing else does. */
  #clocks: { readonly target: Element; readonly text: (nowMs: number) => string }[] = [];

  constructor(root: HTMLElement, app: App, actions: { readonly close: () => void; readonly release: () => void }) {
    this.#app = app;
    this.#root = root;
    const close = element("button", { type: "button", "aria-label": "Close the details", class: "plain" }, "✕");
    close.addEventListener("click", actions.close);
    this.#release.addEventListener("click", actions.release);
    root.append(
      element("div", { class: "details-head" }, this.#name, close),
      this.#facts,
      element("div", { class: "actions" }, this.#release),
      this.#holders,
      this.#queue,
      this.#turns,
    );
  }

  focus(): void {
    this.#name.focus();
  }

  update(): void {
    const { selected, selectedLock: lock, history } = this.#app;
    this.#root.hidden = selected === undefined;
    if (selected === undefined) return;
    const stints = history.stintsOf(selected).toReversed();
    // Drawn again only when it says something else: a selection of text stays where it is.
    const content = JSON.stringify([selected, lock, stints]);
    if (content !== this.#drawn) this.#draw(selected, lock, stints);
    this.#drawn = content;
    const nowMs = this.#app.nowMs();
    for (const { target, text } of this.#clocks) setText(target, text(nowMs));
    this.#release.hidden = this.#app.isReadOnly || lock === undefined;
    this.#release.disabled = (lock?.holders.length ?? 0) === 0;
  }

  #draw(name: string, lock: LockView | undefined, stints: readonly Stint[]): void {
    this.#clocks = [];
    setText(this.#name, visible(name));
    if (lock === undefined) {
      setText(this.#facts, "This lock is gone: its object was removed or deleted.");
      for (const part of [this.#holders, this.#queue]) part.replaceChildren();
    } else {
      this.#clocks.push({ target: this.#facts, text: (nowMs) => factsText(lock, nowMs) });
      this.#holders.replaceChildren(
        ...this.#section("Holders", lock.holders, "It is free.", (one) => this.#holder(one)),
      );
      this.#queue.replaceChildren(
        ...this.#section("Queue", lock.queue, "No waiters.", (one, index) => this.#waiter(one, index)),
      );
    }
    const ended = stints.filter((stint) => stint.toMs !== undefined);
    this.#turns.replaceChildren(...this.#section("Turns, newest first", ended, "None is known yet.", turnItem));
  }

  #section<Item>(
    title: string,
    items: readonly Item[],
    none: string,
    draw: (item: Item, index: number) => HTMLElement,
  ): HTMLElement[] {
    const heading = element(
      "h3",
      {},
      title,
      element("span", { class: "muted" }, items.length > 0 ? ` ${items.length}` : ""),
    );
    if (items.length === 0) return [heading, element("p", { class: "muted" }, none)];
    return [heading, element("ol", { class: "parties" }, ...items.map(draw))];
  }

  #holder(holder: HolderView): HTMLElement {
    const left = element("span", { class: "number" });
    const { sinceMs, expiresAtMs } = holder;
    this.#clocks.push({
      target: left,
      text: (nowMs) => {
        const leaseMs = expiresAtMs - nowMs;
        const lease = leaseMs > 0 ? `lease ${durationText(leaseMs)} left` : `lease ended ${durationText(-leaseMs)} ago`;
        return `held ${durationText(heldMsOf(holder, nowMs))} · ${lease}`;
      },
    });
    const words = [holder.mode, ...priorityWords(holder), `token ${holder.token}`, `since ${clockText(sinceMs)}`];
    return partyItem(holder, left, words);
  }

  #waiter(waiter: WaiterView, index: number): HTMLElement {
    const waited = element("span", { class: "number" });
    this.#clocks.push({
      target: waited,
      text: (nowMs) => `${index === 0 ? "next" : `${index} before it`} · waits ${durationText(nowMs - waiter.sinceMs)}`,
    });
    const item = partyItem(waiter, waited, [waiter.mode, ...priorityWords(waiter)]);
    if (waiter.holds.length > 0) {
      const names = waiter.holds.map(({ lockName }) => visible(lockName)).join(", ");
      item.append(element("div", { class: "muted" }, `holds meanwhile: ${names}`));
    }
    return item;
  }
}

function factsText(lock: LockView, nowMs: number): string {
  if (lock.problem !== undefined) return `Unreadable: ${visible(lock.problem)}`;
  const permits = lock.limit > 1 ? ` · ${counted(lock.limit, "permit")}` : "";
  return `${stateText(lock, nowMs)}${permits} · last token ${lock.token}`;
}

function priorityWords({ priority }: { readonly priority: number }): string[] {
  return priority === 0 ? [] : [`priority ${priority}`];
}

function turnItem(stint: Stint): HTMLElement {
  const { fromMs, toMs = fromMs, ended = "", token } = stint;
  const text = element(
    "span",
    { class: "number" },
    `${clockText(fromMs)} – ${clockText(toMs)} · ${spanText(toMs - fromMs)}`,
  );
  const item = partyItem(stint, text, [`token ${token}`, ended === "unseen" ? "end not seen" : ended]);
  item.dataset["ended"] = ended;
  return item;
}

function partyItem(party: HolderView | WaiterView | Stint, clock: Element, words: readonly string[]): HTMLElement {
  return element(
    "li",
    {},
    element("div", { class: "who" }, element("i", { class: `dot hue-${hueOf(party)}` }), fullText(party)),
    element("div", {}, clock),
    element("div", { class: "muted number" }, words.join(" · ")),
  );
}
