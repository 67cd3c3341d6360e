import { element, setAttribute, setText, shape } from "../base/dom.js";
import { numberText } from "../base/text.js";

const HEIGHT = 140;
/** Before it is laid out. */
const USUAL_WIDTH = 480;
const LEFT = 34;
const BOTTOM = 18;
const TOP = 8;
const RIGHT = 6;
const PLOT_HEIGHT = HEIGHT - BOTTOM - TOP;

export interface Plot {
  /** The number that matters, large. */
  readonly headline: string;
  /** What it says, for readers that cannot see it. */
  readonly summary: string;
  /** Bars, or with `isLine` the corners of a line; undefined: a gap. */
  readonly values: readonly (number | undefined)[];
  /** Below the axis, spread evenly: below bars, or with `isTime` from one end to the other. */
  readonly labels: readonly string[];
  readonly isTime?: boolean;
  readonly isLine?: boolean;
}

/** A small plot with a heading; everything is the same size whatever the values, so that nothing moves. */
export class Chart {
  readonly root: HTMLElement;
  readonly #headline = element("strong", { class: "number" });
  readonly #picture = shape("svg", { role: "img", height: HEIGHT });
  #drawn = "";

  constructor(title: string) {
    const heading = element("figcaption", {}, title, this.#headline);
    this.root = element("figure", {}, heading, this.#picture);
  }

  update(plot: Plot): void {
    const width = this.#picture.clientWidth || USUAL_WIDTH;
    const content = JSON.stringify([width, plot]);
    if (content === this.#drawn) return;
    this.#drawn = content;
    setText(this.#headline, plot.headline);
    setAttribute(this.#picture, "aria-label", plot.summary);
    const top = roundUp(Math.max(...plot.values.map((value) => value ?? 0), 0));
    const scale = { top, width: width - LEFT - RIGHT };
    const { values } = plot;
    this.#picture.replaceChildren(...axes(plot, scale), plot.isLine ? line(values, scale) : bars(values, scale));
  }
}

/** Rounds up to 1, 2, 5, 10, 20, 50, ...: scales that change seldom and can be read. */
function roundUp(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

interface Scale {
  /** The value at the upper edge. */
  readonly top: number;
  /** Of the plot, without the numbers beside it. */
  readonly width: number;
}

function axes({ labels, isTime }: Plot, { top, width }: Scale): SVGElement[] {
  const ticks = [0, top / 2, top].map((value) => ({ value, y: yOf(value, top) }));
  const rules = ticks.map(({ y }) => shape("line", { class: "rule", x1: LEFT, x2: LEFT + width, y1: y, y2: y }));
  const numbers = ticks
    .filter(({ value }) => Number.isInteger(value))
    .map(({ value, y }) => shape("text", { x: LEFT - 6, y: y + 3.5, "text-anchor": "end" }, numberText(value)));
  const words = labels.map((label, index) => {
    const last = labels.length - 1;
    const share = isTime ? index / last : (index + 0.5) / labels.length;
    const anchor = isTime && index === 0 ? "start" : isTime && index === last ? "end" : "middle";
    return shape("text", { x: LEFT + share * width, y: HEIGHT - 4, "text-anchor": anchor }, label);
  });
  return [...rules, ...numbers, ...words];
}

function bars(values: readonly (number | undefined)[], { top, width }: Scale): SVGElement {
  const step = width / values.length;
  const gap = Math.min(step * 0.2, 3);
  const drawn = values.flatMap((value, index) => {
    if (value === undefined || value === 0) return [];
    const y = yOf(value, top);
    const x = LEFT + index * step + gap / 2;
    return [shape("rect", { x, y, width: step - gap, height: TOP + PLOT_HEIGHT - y })];
  });
  return shape("g", { class: "bars" }, ...drawn);
}

function line(values: readonly (number | undefined)[], { top, width }: Scale): SVGElement {
  let path = "";
  let isDrawing = false;
  for (const [index, value] of values.entries()) {
    const x = LEFT + (index / Math.max(values.length - 1, 1)) * width;
    if (value !== undefined) path += `${isDrawing ? "L" : "M"}${x.toFixed(1)} ${yOf(value, top).toFixed(1)}`;
    // A point of its own would not be seen without a neighbour.
    if (value !== undefined && !isDrawing) path += "h0.1";
    isDrawing = value !== undefined;
  }
  return shape("path", { class: "line", d: path });
}

function yOf(value: number, top: number): number {
  return TOP + PLOT_HEIGHT * (1 - value / top);
}
