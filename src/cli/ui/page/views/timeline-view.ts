import type { App } from "../base/app.js";
import { element, setText } from "../base/dom.js";
import { endOf, type Stint } from "../base/history.js";
import { clockText, counted, fullText, hueOf, spanText, visible, whoText } from "../base/text.js";

const MINUTE_MS = 60_000;
const RANGES = [1, 5, 15, 60];
const MAX_ROWS = 60;
const TICKS = 5;
/** A hold of a moment can still be seen, in percent of the width. */
const MIN_WIDTH = 0.25;

interface Row {
  readonly root: HTMLElement;
  readonly label: HTMLButtonElement;
  readonly track: HTMLElement;
}

/** Who held which lock when. */
export class TimelineView {
  readonly #app: App;
  readonly #open: (lockName: string) => void;
  readonly #about = element("p", { class: "muted about" });
  readonly #axis = element("div", { class: "track axis", "aria-hidden": "true" });
  readonly #list = element("div", { class: "timeline" });
  readonly #range = element("select", { "aria-label": "How far back" });
  readonly #rows = new Map<string, Row>();

  constructor(root: HTMLElement, app: App, open: (lockName: string) => void) {
    this.#app = app;
    this.#open = open;
    for (const minutes of RANGES) {
      this.#range.append(
        element("option", { value: minutes }, minutes === 1 ? "Last minute" : `Last ${minutes} minutes`),
      );
    }
    this.#range.value = "5";
    this.#range.addEventListener("change", () => this.update());
    const head = element("div", { class: "timeline-row heads" }, element("label", {}, this.#range), this.#axis);
    root.append(this.#about, head, this.#list);
  }

  update(): void {
    const toMs = this.#app.nowMs();
    const fromMs = toMs - Number(this.#range.value) * MINUTE_MS;
    const found = this.#app
      .filtered()
      .map(({ name }) => ({ name, stints: this.#stintsWithin(name, fromMs, toMs) }))
      .filter(({ stints }) => stints.length > 0)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
    const shown = found.slice(0, MAX_ROWS);
    const isRead = this.#app.status?.isRead === true;
    setText(this.#about, isRead ? aboutText(found.length, shown.length) : "Reading the store…");
    this.#drawAxis(fromMs, toMs);
    const names = new Set(shown.map(({ name }) => name));
    for (const [name, row] of this.#rows) if (!names.has(name)) this.#forget(name, row);
    for (const [index, { name, stints }] of shown.entries()) {
      const row = this.#rowOf(name);
      // Only what is at the wrong place is moved: a move would take the focus away.
      if (this.#list.children[index] !== row.root)
        this.#list.insertBefore(row.root, this.#list.children[index] ?? null);
      drawStints(row.track, stints, fromMs, toMs);
    }
  }

  #stintsWithin(name: string, fromMs: number, toMs: number): Stint[] {
    return this.#app.history.stintsOf(name).filter((stint) => endOf(stint, toMs) >= fromMs && stint.fromMs <= toMs);
  }

  #rowOf(name: string): Row {
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const label = element("button", { type: "button", class: "plain", title: visible(name) }, visible(name));
    label.addEventListener("click", () => this.#open(name));
    const track = element("div", { class: "track" });
    const row = { root: element("div", { class: "timeline-row" }, label, track), label, track };
    this.#rows.set(name, row);
    return row;
  }

  #forget(name: string, { root }: Row): void {
    root.remove();
    this.#rows.delete(name);
  }

  #drawAxis(fromMs: number, toMs: number): void {
    while (this.#axis.children.length < TICKS) this.#axis.append(element("span", { class: "number" }));
    for (const [index, tick] of [...this.#axis.children].entries()) {
      const share = index / (TICKS - 1);
      (tick as HTMLElement).style.left = `${share * 100}%`;
      setText(tick, index === TICKS - 1 ? "now" : clockText(fromMs + share * (toMs - fromMs)));
    }
  }
}

/** Draws one bar each; those that overlap, as permits and readers do, share the height. */
function drawStints(track: HTMLElement, stints: readonly Stint[], fromMs: number, toMs: number): void {
  const lanes = lanesOf(stints, toMs);
  const laneCount = Math.max(...lanes) + 1;
  const percent = (atMs: number) => ((Math.max(atMs, fromMs) - fromMs) / (toMs - fromMs)) * 100;
  while (track.children.length > stints.length) track.lastElementChild?.remove();
  for (const [index, stint] of stints.entries()) {
    const bar = (track.children[index] ?? track.appendChild(element("i"))) as HTMLElement;
    const left = percent(stint.fromMs);
    const width = Math.max(percent(endOf(stint, toMs)) - left, MIN_WIDTH);
    bar.className = `stint hue-${hueOf(stint)} ${stint.toMs === undefined ? "open" : (stint.ended ?? "")}`;
    bar.style.left = `${Math.min(left, 100 - MIN_WIDTH).toFixed(3)}%`;
    bar.style.width = `${width.toFixed(3)}%`;
    bar.style.top = `${(((lanes[index] ?? 0) / laneCount) * 100).toFixed(1)}%`;
    bar.style.height = `${(100 / laneCount).toFixed(1)}%`;
    setText(bar, width > 6 && laneCount === 1 ? whoText(stint) : "");
    const title = titleOf(stint, toMs);
    if (bar.title !== title) bar.title = title;
  }
}

/** Picks the first lane that is free when each begins. */
function lanesOf(stints: readonly Stint[], nowMs: number): number[] {
  const freeAtMs: number[] = [];
  return stints.map((stint) => {
    const found = freeAtMs.findIndex((atMs) => atMs <= stint.fromMs);
    const lane = found === -1 ? freeAtMs.length : found;
    freeAtMs[lane] = endOf(stint, nowMs);
    return lane;
  });
}

function titleOf(stint: Stint, nowMs: number): string {
  const { fromMs, toMs, token, ended } = stint;
  const endMs = endOf(stint, nowMs);
  const isOver = toMs !== undefined || endMs < nowMs;
  const end = isOver
    ? `${clockText(endMs)}, ${endOfWords(toMs === undefined ? "its lease ended" : ended)}`
    : "still held";
  return `${fullText(stint)}\ntoken ${token}\n${clockText(fromMs)} – ${end}${isOver ? `\n${spanText(endMs - fromMs)}` : ""}`;
}

function endOfWords(ended: string | undefined): string {
  return ended === "unseen" ? "end not seen" : String(ended);
}

function aboutText(found: number, shown: number): string {
  if (found === 0) return "None of these locks was held in this time, as far as the records remember.";
  const words = [
    "A colour is a holder, by label and process. A thick end: expired or ended by force. From the records' last turns, and what this page saw.",
  ];
  if (found > shown) words.push(`${counted(found - shown, "more lock")}: use the filter.`);
  return words.join(" ");
}
