import { App, type Show, stateOf, type ViewName } from "./base/app.js";
import { byId, setAttribute, setText } from "./base/dom.js";
import { follow, type Listener, takeToken } from "./base/feed.js";
import { numberText, visible } from "./base/text.js";
import { ContentionView } from "./views/contention-view.js";
import { GraphView } from "./views/graph-view.js";
import { LockDetails } from "./views/lock-details.js";
import { LockTable } from "./views/lock-table.js";
import { ReleaseDialog } from "./views/release-dialog.js";
import { TimelineView } from "./views/timeline-view.js";

const VIEWS: readonly ViewName[] = ["locks", "waits", "timeline", "contention"];
const THEMES = ["auto", "light", "dark"];
/** A page that has been out of sight for this long is not read: it lets the server stop reading. */
const OUT_OF_SIGHT_MS = 30_000;
const TICK_MS = 1000;

const token = takeToken();
const app = new App(() => draw());
const table = new LockTable(byId("panel-locks"), app, open);
const graph = new GraphView(byId("panel-waits"), app, open);
const views = {
  locks: table,
  waits: graph,
  timeline: new TimelineView(byId("panel-timeline"), app, open),
  contention: new ContentionView(byId("panel-contention"), app, open),
};
const details = new LockDetails(byId("details"), app, { close: closeDetails, release: askForRelease });
const releaseDialog = new ReleaseDialog(byId("release-dialog"), token, () => app.nowMs());
const help = byId<HTMLDialogElement>("help");
const filter = byId<HTMLInputElement>("filter");
const shortcuts = byId<HTMLInputElement>("shortcuts");

let isDrawing = false;
let openedFrom: Element | null = null;
let following: AbortController | undefined;

// ---------------------------------------------------------------------------------------------------------------------
// What is shown

/** Draws at most once a frame, however much happens; and not at all while the page is hidden. */
function draw(): void {
  if (isDrawing || document.hidden) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    drawNow();
  });
}

function drawNow(): void {
  for (const view of VIEWS) {
    const isSelected = view === app.view;
    byId(`panel-${view}`).hidden = !isSelected;
    const tab = byId(`tab-${view}`);
    setAttribute(tab, "aria-selected", String(isSelected));
    tab.tabIndex = isSelected ? 0 : -1;
  }
  drawCounts();
  views[app.view].update();
  details.update();
}

function drawCounts(): void {
  const { status, history } = app;
  if (status === undefined) return;
  const nowMs = app.nowMs();
  const count = { held: 0, expired: 0, waiting: 0 };
  for (const lock of history.locks.values()) {
    const state = stateOf(lock, nowMs);
    if (state === "held" || state === "shared") count.held += 1;
    if (state === "expired") count.expired += 1;
    count.waiting += lock.queue.length;
  }
  const counts = { locks: history.locks.size, ...count, deadlocked: graph.deadlocked() };
  for (const [name, value] of Object.entries(counts)) {
    const shown = byId(`count-${name}`);
    setText(shown, numberText(value));
    shown.classList.toggle("some", value > 0);
  }
  setText(byId("rate"), status.requestsPerSecond.toFixed(1));
  setText(byId("took"), `${numberText(Math.round(status.tookMs))} ms`);
  setText(byId("viewers"), String(status.viewers));
}

function drawConnection(state: "waiting" | "live" | "lost" | "refused" | "failing", trouble = ""): void {
  const texts = {
    waiting: "Connecting",
    live: "Live",
    lost: "Disconnected",
    refused: "No access",
    failing: "Store error",
  };
  setAttribute(byId("connection"), "data-state", state);
  setText(byId("connection-text"), texts[state]);
  document.body.classList.toggle("stale", app.isStale);
  const box = byId("trouble");
  box.hidden = trouble === "";
  setText(box, trouble);
}

// ---------------------------------------------------------------------------------------------------------------------
// What comes in

const listener: Listener = {
  snapshot(data) {
    app.takeStatus(data.status);
    app.isReadOnly = data.isReadOnly;
    app.history.takeSnapshot(data);
    setText(byId("store"), visible(data.storeName));
    byId("read-only").hidden = !data.isReadOnly;
    document.title = `${visible(data.storeName)} · s3-mutex`;
    this.connection("live");
    draw();
  },
  delta(data) {
    app.takeStatus(data.status);
    app.history.takeDelta(data);
    this.connection("live");
    draw();
  },
  connection(state) {
    if (state !== "live") app.freeze();
    const error = app.status?.error;
    if (state === "live" && error !== undefined)
      drawConnection(
        "failing",
        `The store does not answer as it should: ${visible(error)} What is shown is what was seen last.`,
      );
    else if (state === "live") drawConnection("live");
    else if (state === "lost")
      drawConnection("lost", "The dashboard's server is gone; this page goes on trying. What is shown is old.");
    else
      drawConnection(
        "refused",
        "This page has no access: open the address that s3-mutex ui has printed, with its token.",
      );
  },
};

function connect(): void {
  if (following !== undefined) return;
  following = new AbortController();
  void follow(token, listener, following.signal);
}

function disconnect(): void {
  following?.abort();
  following = undefined;
  app.freeze();
}

let outOfSight: ReturnType<typeof setTimeout> | undefined;
document.addEventListener("visibilitychange", () => {
  clearTimeout(outOfSight);
  if (document.hidden) outOfSight = setTimeout(disconnect, OUT_OF_SIGHT_MS);
  else {
    connect();
    draw();
  }
});

// ---------------------------------------------------------------------------------------------------------------------
// What the viewer does

function open(lockName: string): void {
  if (app.selected === undefined) openedFrom = document.activeElement;
  app.change({ selected: lockName });
}

function closeDetails(): void {
  app.change({ selected: undefined });
  if (openedFrom instanceof HTMLElement || openedFrom instanceof SVGElement) openedFrom.focus();
  openedFrom = null;
}

function askForRelease(): void {
  const lock = app.selectedLock;
  if (lock !== undefined && !app.isReadOnly) releaseDialog.open(lock);
}

function show(view: ViewName): void {
  app.change({ view });
}

for (const [index, view] of VIEWS.entries()) {
  byId(`tab-${view}`).addEventListener("click", () => show(view));
  byId(`tab-${view}`).addEventListener("keydown", ({ key }) => {
    const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    const next = VIEWS[(index + step + VIEWS.length) % VIEWS.length];
    if (step === 0 || next === undefined) return;
    show(next);
    byId(`tab-${next}`).focus();
  });
}
filter.addEventListener("input", () => app.change({ filter: filter.value }));
const showSelect = byId<HTMLSelectElement>("show");
showSelect.addEventListener("change", () => app.change({ show: showSelect.value as Show }));
byId("help-button").addEventListener("click", () => help.showModal());
byId("theme").addEventListener("click", () => nextTheme());

function nextTheme(): void {
  const now = THEMES.indexOf(localStorage.getItem("theme") ?? "auto");
  localStorage.setItem("theme", THEMES[(now + 1) % THEMES.length] ?? "auto");
  applyTheme();
}

function applyTheme(): void {
  const theme = localStorage.getItem("theme") ?? "auto";
  document.documentElement.dataset["theme"] = theme;
  setText(byId("theme"), `Theme: ${theme}`);
}

shortcuts.checked = localStorage.getItem("shortcuts") !== "off";
shortcuts.addEventListener("change", () => localStorage.setItem("shortcuts", shortcuts.checked ? "on" : "off"));

const KEYS: Readonly<Record<string, () => void>> = {
  "1": () => show("locks"),
  "2": () => show("waits"),
  "3": () => show("timeline"),
  "4": () => show("contention"),
  "/": () => filter.focus(),
  j: () => table.move(1),
  k: () => table.move(-1),
  r: askForRelease,
  t: nextTheme,
  "?": () => help.showModal(),
};

/** For the table also when nothing has the focus, as after loading. */
const TABLE_KEYS: ReadonlySet<string> = new Set(["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "Enter"]);

document.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (document.querySelector("dialog[open]") !== null || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (target === filter) table.focus();
    else if (app.selected !== undefined) closeDetails();
    return;
  }
  if (target === filter && (event.key === "ArrowDown" || event.key === "Enter")) {
    event.preventDefault();
    return table.focus();
  }
  if (target === document.body && app.view === "locks" && TABLE_KEYS.has(event.key)) {
    table.focus();
    return table.press(event);
  }
  const act = KEYS[event.key];
  if (act === undefined || isTyping || !shortcuts.checked) return;
  event.preventDefault();
  act();
});

// ---------------------------------------------------------------------------------------------------------------------

applyTheme();
drawNow();
// Leases run down between two polls as well.
setInterval(() => app.isStale || draw(), TICK_MS);
connect();
