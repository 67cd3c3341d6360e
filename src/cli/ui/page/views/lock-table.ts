import type { LockView } from "../../wire.js";
import { type App, expiryOf, stateOf, stateText } from "../base/app.js";
import { element, setAttribute, setText } from "../base/dom.js";
import { heldMsOf } from "../base/history.js";
import { durationText, fullText, visible } from "../base/text.js";

type Column = "name" | "state" | "holder" | "held" | "lease" | "waiters" | "token";

const COLUMNS: readonly { readonly id: Column; readonly title: string; readonly isNumber?: true }[] = [
  { id: "name", title: "Lock" },
  { id: "state", title: "State" },
  { id: "holder", title: "Holder" },
  { id: "held", title: "Held for", isNumber: true },
  { id: "lease", title: "Lease left", isNumber: true },
  { id: "waiters", title: "Waiters", isNumber: true },
  { id: "token", title: "Token", isNumber: true },
];
const STATE_ORDER = { unreadable: 0, expired: 1, held: 2, shared: 3, free: 4 };
/** As in the style sheet. */
const ROW_HEIGHT = 32;
const SPARE_ROWS = 4;

interface Row {
  readonly root: HTMLElement;
  readonly cells: Readonly<Record<Column, HTMLElement>>;
  readonly leaseBar: HTMLElement;
  readonly leaseText: HTMLElement;
}

/** All locks in a list that may be long: only the rows in sight are there, and they are used again. */
export class LockTable {
  readonly #app: App;
  readonly #open: (lockName: string) => void;
  readonly #heads = new Map<Column, HTMLButtonElement>();
  readonly #scroller = element("div", { class: "rows", tabindex: -1, role: "rowgroup" });
  readonly #space = element("div", { class: "space", role: "presentation" });
  readonly #grid = element("div", {
    class: "grid",
    tabindex: 0,
    role: "grid",
    "aria-label": "Locks",
    "aria-colcount": COLUMNS.length,
  });
  readonly #empty = element("p", { class: "empty", hidden: "" });
  readonly #rows: Row[] = [];
  /** By state: what is stuck or held is what people come for, and a store may have thousands of free locks. */
  #sort: { readonly column: Column; readonly isDescending: boolean } = { column: "state", isDescending: false };
  #locks: readonly LockView[] = [];
  #active: string | undefined;
  /** Whether the user has chosen the active one: before, the first is only a place to begin. */
  #isChosen = false;

  constructor(root: HTMLElement, app: App, open: (lockName: string) => void) {
    this.#app = app;
    this.#open = open;
    const heads = COLUMNS.map(({ id, title, isNumber }) => this.#head(id, title, isNumber));
    this.#scroller.append(this.#space);
    this.#grid.append(element("div", { class: "row heads", role: "row" }, ...heads), this.#scroller);
    root.append(this.#grid, this.#empty);
    this.#scroller.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.#grid.addEventListener("keydown", (event) => this.press(event));
    this.#scroller.addEventListener("click", (event) => this.#clicked(event));
    new ResizeObserver(() => this.#draw()).observe(this.#scroller);
  }

  /** Filters and sorts anew, then draws. */
  update(): void {
    const nowMs = this.#app.nowMs();
    this.#locks = this.#app.filtered().sort(this.#comparator(nowMs));
    if (this.#active === undefined || !this.#locks.some((lock) => lock.name === this.#active)) {
      this.#active = this.#locks[0]?.name;
      this.#isChosen = false;
    } else if (!this.#isChosen) {
      this.#active = this.#locks[0]?.name;
    }
    this.#space.style.height = `${this.#locks.length * ROW_HEIGHT}px`;
    setAttribute(this.#grid, "aria-rowcount", String(this.#locks.length + 1));
    const isEmpty = this.#locks.length === 0;
    this.#empty.hidden = !isEmpty;
    setText(this.#empty, isEmpty ? this.#whyEmpty() : "");
    this.#draw();
  }

  /** Makes the next or an earlier lock the active one, from wherever on the page. */
  move(step: number): void {
    if (!this.#isChosen && step === 1) return this.#activate(0);
    const at = this.#locks.findIndex((lock) => lock.name === this.#active);
    this.#activate(Math.min(Math.max(at + step, 0), this.#locks.length - 1));
  }

  openActive(): void {
    this.#isChosen = true;
    if (this.#active !== undefined) this.#open(this.#active);
  }

  focus(): void {
    this.#grid.focus();
  }

  #whyEmpty(): string {
    if (this.#app.status?.isRead !== true) return "Reading the store…";
    if (this.#app.history.locks.size === 0) return "There are no locks here yet. Each appears when it is acquired.";
    return "No lock matches the filter.";
  }

  #head(id: Column, title: string, isNumber: true | undefined): HTMLElement {
    const button = element("button", { type: "button", tabindex: 0 }, title);
    button.addEventListener("click", () => {
      const isDescending = this.#sort.column === id && !this.#sort.isDescending;
      this.#sort = { column: id, isDescending };
      this.update();
    });
    this.#heads.set(id, button);
    return element("div", { class: `${id}${isNumber ? " number" : ""}`, role: "columnheader" }, button);
  }

  #comparator(nowMs: number): (one: LockView, other: LockView) => number {
    const { column, isDescending } = this.#sort;
    const value = VALUES[column];
    const sign = isDescending ? -1 : 1;
    return (one, other) => {
      const [a, b] = [value(one, nowMs), value(other, nowMs)];
      // What has no value comes last either way.
      if (a === undefined || b === undefined) {
        if (a !== b) return a === undefined ? 1 : -1;
      } else if (a !== b) return (a < b ? -1 : 1) * sign;
      return one.name < other.name ? -1 : 1;
    };
  }

  #draw(): void {
    for (const [id, button] of this.#heads) {
      const isSorted = this.#sort.column === id;
      const order = this.#sort.isDescending ? "descending" : "ascending";
      if (button.parentElement) setAttribute(button.parentElement, "aria-sort", isSorted ? order : undefined);
    }
    const visibleRows = Math.ceil(this.#scroller.clientHeight / ROW_HEIGHT) + SPARE_ROWS;
    const first = Math.max(0, Math.floor(this.#scroller.scrollTop / ROW_HEIGHT) - SPARE_ROWS / 2);
    const shown = this.#locks.slice(first, first + visibleRows);
    while (this.#rows.length < shown.length) this.#rows.push(this.#newRow());
    const nowMs = this.#app.nowMs();
    let activeId: string | undefined;
    for (const [index, row] of this.#rows.entries()) {
      const lock = shown[index];
      row.root.hidden = lock === undefined;
      if (lock === undefined) continue;
      fill(row, lock, nowMs);
      row.root.style.transform = `translateY(${(first + index) * ROW_HEIGHT}px)`;
      row.root.dataset["name"] = lock.name;
      setAttribute(row.root, "aria-rowindex", String(first + index + 2));
      setAttribute(row.root, "aria-selected", String(lock.name === this.#app.selected));
      const isActive = lock.name === this.#active;
      row.root.classList.toggle("active", isActive);
      if (isActive) activeId = row.root.id;
    }
    setAttribute(this.#grid, "aria-activedescendant", activeId);
  }

  #newRow(): Row {
    const row = newRow(this.#rows.length);
    this.#space.append(row.root);
    return row;
  }

  #activate(index: number): void {
    const lock = this.#locks[index];
    if (lock === undefined) return;
    this.#active = lock.name;
    this.#isChosen = true;
    const top = index * ROW_HEIGHT;
    const { scrollTop, clientHeight } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    if (top + ROW_HEIGHT > scrollTop + clientHeight) this.#scroller.scrollTop = top + ROW_HEIGHT - clientHeight;
    // A user that walks through the list with the details open wants to see those of each.
    if (this.#app.selected !== undefined) this.#open(lock.name);
    this.#draw();
  }

  /** Handles a key that was pressed in the table, or where nothing else has the focus. */
  press(event: KeyboardEvent): void {
    // A column's head has keys of its own.
    if (event.target instanceof HTMLButtonElement) return;
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / ROW_HEIGHT) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -this.#locks.length,
      End: this.#locks.length,
    };
    const step = steps[event.key];
    if (step !== undefined) this.move(step);
    else if (event.key === "Enter" || event.key === " ") this.openActive();
    else return;
    event.preventDefault();
  }

  #clicked(event: MouseEvent): void {
    const name = (event.target as HTMLElement).closest<HTMLElement>("[role=row]")?.dataset["name"];
    if (name === undefined) return;
    this.#active = name;
    this.#isChosen = true;
    this.focus();
    this.#open(name);
  }
}

type Value = string | number | undefined;

const VALUES: Readonly<Record<Column, (lock: LockView, nowMs: number) => Value>> = {
  name: (lock) => lock.name.toLowerCase(),
  state: (lock, nowMs) => STATE_ORDER[stateOf(lock, nowMs)],
  holder: ({ holders: [first] }) => (first === undefined ? undefined : fullText(first).toLowerCase()),
  held: ({ holders: [first] }, nowMs) => (first === undefined ? undefined : heldMsOf(first, nowMs)),
  lease: expiryOf,
  waiters: ({ queue }) => queue.length,
  token: ({ token }) => token,
};

function newRow(index: number): Row {
  const [leaseBar, leaseText] = [element("i", { class: "lease-bar" }), element("span")];
  const cells = {} as Record<Column, HTMLElement>;
  for (const { id, isNumber } of COLUMNS) {
    const content = id === "lease" ? [leaseBar, leaseText] : [];
    cells[id] = element("div", { class: `${id}${isNumber ? " number" : ""}`, role: "gridcell" }, ...content);
  }
  const root = element("div", { class: "row", role: "row", id: `row-${index}` }, ...Object.values(cells));
  return { root, cells, leaseBar, leaseText };
}

function fill({ root, cells, leaseBar, leaseText }: Row, lock: LockView, nowMs: number): void {
  const [first, ...others] = lock.holders;
  const state = stateOf(lock, nowMs);
  root.dataset["state"] = state;
  setText(cells.name, visible(lock.name));
  cells.name.title = visible(lock.name);
  setText(cells.state, stateText(lock, nowMs));
  const who = first === undefined ? "" : fullText(first) + (others.length > 0 ? ` +${others.length}` : "");
  setText(cells.holder, lock.problem === undefined ? who : visible(lock.problem));
  cells.holder.title = first === undefined ? "" : lock.holders.slice(0, 10).map(fullText).join("\n");
  setText(cells.held, first === undefined ? "" : durationText(heldMsOf(first, nowMs)));
  fillLease(leaseBar, leaseText, lock, nowMs);
  setText(cells.waiters, lock.queue.length === 0 ? "" : String(lock.queue.length));
  cells.waiters.classList.toggle("some", lock.queue.length > 0);
  setText(cells.token, lock.token === 0 ? "" : String(lock.token));
}

function fillLease(bar: HTMLElement, text: HTMLElement, lock: LockView, nowMs: number): void {
  const expiresAtMs = expiryOf(lock);
  if (expiresAtMs === undefined) {
    setText(text, "");
    bar.style.transform = "scaleX(0)";
    return;
  }
  const leftMs = expiresAtMs - nowMs;
  const leaseMs = Math.max(...lock.holders.map((holder) => holder.leaseMs), 1);
  setText(text, leftMs > 0 ? durationText(leftMs) : "ended");
  bar.style.transform = `scaleX(${Math.min(Math.max(leftMs / leaseMs, 0), 1).toFixed(3)})`;
}
