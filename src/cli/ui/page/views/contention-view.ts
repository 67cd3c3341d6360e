import type { App } from "../base/app.js";
import { element, setText } from "../base/dom.js";
import type { Stint } from "../base/history.js";
import { counted, durationText, numberText, spanText, visible } from "../base/text.js";
import { Chart, type Plot } from "./charts.js";

const WINDOW_MS = 15 * 60_000;
const WINDOW_LABELS = ["15 min ago", "10", "5", "now"];
const LINE_POINTS = 180;
const BAR_COUNT = 45;
const TOP_LOCKS = 10;

/** Up to how long; the last is open. */
const BINS = [100, 300, 1000, 3000, 10_000, 30_000, 60_000, 300_000, Number.POSITIVE_INFINITY];
const BIN_LABELS = ["≤ 0.1 s", "0.3", "1", "3", "10", "30 s", "1 min", "5 min", "more"];

interface Contended {
  readonly name: string;
  readonly waiting: number;
  readonly longestMs: number;
  readonly turns: number;
  readonly medianHoldMs: number | undefined;
}

/** How much is waited, how often locks change hands, and which locks that is about. */
export class ContentionView {
  readonly #app: App;
  readonly #open: (lockName: string) => void;
  readonly #waiting = new Chart("Waiting now");
  readonly #grants = new Chart("Grants in 15 minutes");
  readonly #waits = new Chart("How long turns were waited for");
  readonly #holds = new Chart("How long turns lasted");
  readonly #body = element("tbody");
  readonly #none = element("p", { class: "muted about" });
  #drawn = "";

  constructor(root: HTMLElement, app: App, open: (lockName: string) => void) {
    this.#app = app;
    this.#open = open;
    const charts = [this.#waiting, this.#grants, this.#waits, this.#holds].map((chart) => chart.root);
    const heads = ["Lock", "Waiting", "Longest wait", "Grants, 15 min", "Median turn"];
    const row = element(
      "tr",
      {},
      ...heads.map((head, index) => element("th", { scope: "col", class: index > 0 ? "number" : "" }, head)),
    );
    root.append(
      element("div", { class: "charts" }, ...charts),
      element("h3", {}, "Most contended"),
      this.#none,
      element("table", { class: "contended" }, element("thead", {}, row), this.#body),
      element(
        "p",
        { class: "muted about" },
        "Grants and turns come from the records, which remember their last eight turns, and from what this page saw; waits only from what it saw.",
      ),
    );
  }

  update(): void {
    const nowMs = this.#app.nowMs();
    const locks = this.#app.filtered();
    const names = new Set(locks.map((lock) => lock.name));
    const stints = locks.map(({ name }) => this.#recent(name, nowMs));
    const all = stints.flat();
    this.#waiting.update(this.#waitingPlot(nowMs));
    this.#grants.update(grantsPlot(all, nowMs));
    const waits = this.#app.history.waits.filter(
      (wait) => names.has(wait.lockName) && wait.grantedAtMs > nowMs - WINDOW_MS,
    );
    this.#waits.update(
      durationsPlot(
        waits.map((wait) => wait.waitedMs),
        "wait",
      ),
    );
    this.#holds.update(durationsPlot(all.flatMap(lengthOf), "turn"));
    const contended = locks.map(({ name, queue }, index): Contended => {
      const turns = stints[index] ?? [];
      const longestMs = Math.max(0, ...queue.map((waiter) => nowMs - waiter.sinceMs));
      return {
        name,
        waiting: queue.length,
        longestMs,
        turns: turns.length,
        medianHoldMs: median(turns.flatMap(lengthOf)),
      };
    });
    this.#drawTop(contended);
  }

  #recent(name: string, nowMs: number): Stint[] {
    return this.#app.history.stintsOf(name).filter((stint) => stint.fromMs > nowMs - WINDOW_MS);
  }

  #waitingPlot(nowMs: number): Plot {
    const { samples } = this.#app.history;
    const stepMs = WINDOW_MS / LINE_POINTS;
    // The points stand still while time moves: otherwise the line would shiver.
    const endMs = Math.ceil(nowMs / stepMs) * stepMs;
    const values: (number | undefined)[] = new Array(LINE_POINTS).fill(undefined);
    for (const { atMs, waiting } of samples) {
      const index = LINE_POINTS - 1 - Math.floor((endMs - atMs) / stepMs);
      if (index >= 0 && index < LINE_POINTS) values[index] = Math.max(values[index] ?? 0, waiting);
    }
    const last = samples.at(-1)?.waiting ?? 0;
    return {
      headline: numberText(last),
      summary: `${last} are waiting now`,
      values,
      labels: WINDOW_LABELS,
      isTime: true,
      isLine: true,
    };
  }

  #drawTop(contended: readonly Contended[]): void {
    const top = contended
      .filter(({ waiting, turns }) => waiting > 0 || turns > 1)
      .sort((one, other) => other.waiting - one.waiting || other.turns - one.turns || (one.name < other.name ? -1 : 1))
      .slice(0, TOP_LOCKS);
    this.#none.hidden = top.length > 0;
    setText(this.#none, top.length === 0 ? "No lock is waited for or has changed hands lately." : "");
    const names = JSON.stringify(top.map(({ name }) => name));
    if (names !== this.#drawn) this.#body.replaceChildren(...top.map(({ name }) => this.#row(name)));
    this.#drawn = names;
    for (const [index, { waiting, longestMs, turns, medianHoldMs }] of top.entries()) {
      const texts = [
        waiting === 0 ? "" : String(waiting),
        waiting === 0 ? "" : durationText(longestMs),
        String(turns),
        medianHoldMs === undefined ? "" : spanText(medianHoldMs),
      ];
      const cells = this.#body.rows[index]?.cells;
      for (const [column, text] of texts.entries()) {
        const cell = cells?.[column + 1];
        if (cell !== undefined) setText(cell, text);
      }
    }
  }

  #row(name: string): HTMLElement {
    const button = element("button", { type: "button", class: "plain" }, visible(name));
    button.addEventListener("click", () => this.#open(name));
    const cells = Array.from({ length: 4 }, () => element("td", { class: "number" }));
    return element("tr", {}, element("td", {}, button), ...cells);
  }
}

function grantsPlot(stints: readonly Stint[], nowMs: number): Plot {
  const stepMs = WINDOW_MS / BAR_COUNT;
  const endMs = Math.ceil(nowMs / stepMs) * stepMs;
  const values: number[] = new Array(BAR_COUNT).fill(0);
  for (const { fromMs } of stints) {
    const index = BAR_COUNT - 1 - Math.floor((endMs - fromMs) / stepMs);
    if (index >= 0 && index < BAR_COUNT) values[index] = (values[index] ?? 0) + 1;
  }
  return {
    headline: numberText(stints.length),
    summary: `${counted(stints.length, "grant")} in the last 15 minutes, in bars of ${stepMs / 1000} seconds`,
    values,
    labels: WINDOW_LABELS,
    isTime: true,
  };
}

function durationsPlot(durationsMs: readonly number[], noun: string): Plot {
  const values = BINS.map(() => 0);
  for (const durationMs of durationsMs) {
    const bin = BINS.findIndex((mostMs) => durationMs <= mostMs);
    values[bin] = (values[bin] ?? 0) + 1;
  }
  const middle = median(durationsMs);
  const headline = middle === undefined ? "–" : `median ${spanText(middle)}`;
  return { headline, summary: `${counted(durationsMs.length, noun)}, ${headline}`, values, labels: BIN_LABELS };
}

function lengthOf({ fromMs, toMs }: Stint): number[] {
  return toMs === undefined ? [] : [toMs - fromMs];
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}
