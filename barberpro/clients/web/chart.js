// Charts: SVG of our own, drawn as wide as there is room, so that words keep their size; and what they show, as a table.

import { el } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 200;
const TOP = 10;
const BOTTOM = 24;
const SIDE = 48;
const LABEL = 46; // the room that a label needs
const ROW = 44;

/**
 * A chart of columns, whose parts stand on each other.
 * @param {{title: string, about: string, heads: string[], asTable: string, labels: string[], full?: string[],
 *   series: {name: string, kind: "now" | "soon" | "alarm", values: number[]}[], format: (value: number) => string,
 *   axis?: (value: number) => string}} what heads: of the table's columns; full: the labels as the table has them;
 *   axis: as `format`, in short
 */
export function columns(what) {
  return figure(what, (svg, width, mirrored) => {
    const { labels, series, format, axis = format } = what;
    const sums = labels.map((_, at) => series.reduce((sum, { values }) => sum + Math.max(0, values[at]), 0));
    const lows = labels.map((_, at) => series.reduce((sum, { values }) => sum + Math.min(0, values[at]), 0));
    const { from, to, step } = scale(Math.min(0, ...lows), Math.max(0, ...sums));
    const across = (x, wide = 0) => (mirrored ? width - x - wide : x);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - from) / (to - from));
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("height", HEIGHT);
    for (let value = from; value <= to + step / 2; value += step) {
      svg.append(
        shape("line", { x1: across(SIDE), x2: across(width), y1: y(value), y2: y(value), class: "grid" }),
        shape("text", { x: across(SIDE - 6), y: y(value) + 4, "text-anchor": mirrored ? "start" : "end" }, axis(value)));
    }
    const slot = (width - SIDE) / labels.length;
    const each = Math.max(1, Math.ceil(LABEL / slot));
    const wide = Math.min(48, slot * 0.7);
    labels.forEach((label, at) => {
      const x = SIDE + slot * at + (slot - wide) / 2;
      let [high, low] = [0, 0];
      for (const { name, kind, values } of series) {
        const value = values[at];
        if (!value) continue;
        const base = value > 0 ? high : low;
        const bar = shape("rect", { x: across(x, wide), width: wide, y: y(Math.max(base, base + value)), height: Math.abs(y(base) - y(base + value)), class: kind });
        bar.append(shape("title", {}, `${(what.full ?? labels)[at]}: ${series.length > 1 ? `${name} ` : ""}${format(value)}`));
        svg.append(bar);
        if (value > 0) high += value;
        else low += value;
      }
      if (at % each === 0) svg.append(shape("text", { x: across(x + wide / 2), y: HEIGHT - 6, "text-anchor": "middle" }, label));
    });
    svg.append(shape("line", { x1: across(SIDE), x2: across(width), y1: y(0), y2: y(0), class: "base" }));
  });
}

/** A chart of rows, for what has long names; one series. As `columns`. */
export function rows(what) {
  return figure(what, (svg, width, mirrored) => {
    const { labels, series: [{ kind, values }], format } = what;
    const most = Math.max(1, ...values);
    const height = Math.max(1, labels.length) * ROW;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    labels.forEach((label, at) => {
      const wide = (width * values[at]) / most;
      const [near, far] = mirrored ? [width, 0] : [0, width];
      svg.append(
        shape("text", { x: near, y: at * ROW + 15, "text-anchor": mirrored ? "end" : "start" }, label),
        shape("text", { x: far, y: at * ROW + 15, "text-anchor": mirrored ? "start" : "end" }, format(values[at])),
        shape("rect", { x: mirrored ? width - wide : 0, y: at * ROW + 21, width: wide, height: 14, rx: 3, class: kind }));
    });
  });
}

function figure({ title, about, heads, asTable, labels, full = labels, series, format }, draw) {
  const svg = shape("svg", { role: "img", "aria-label": `${title}: ${about}` });
  const holder = el("div", { className: "drawing" }, svg);
  let drawn = 0;
  new ResizeObserver(([{ contentRect }]) => {
    const width = Math.round(contentRect.width);
    if (!width || width === drawn) return;
    drawn = width;
    svg.replaceChildren();
    svg.setAttribute("width", width);
    draw(svg, width, document.documentElement.dir === "rtl");
  }).observe(holder);
  const legend = series.length > 1 ? el("ul", { className: "legend small" }, ...series.map(({ name, kind }) =>
    el("li", {}, el("span", { className: `key ${kind}`, "aria-hidden": "true" }), name))) : null;
  const table = el("table", {}, el("caption", { className: "unseen", textContent: title }),
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col", textContent: head })))),
    el("tbody", {}, ...full.map((label, at) => el("tr", {}, el("th", { scope: "row", textContent: label }),
      ...series.map(({ values }) => el("td", { textContent: format(values[at]) }))))));
  return el("figure", { className: "card chart" },
    el("figcaption", {}, el("h2", { textContent: title }), el("p", { className: "soft small", textContent: about })),
    holder, legend, el("details", {}, el("summary", { textContent: asTable }), el("div", { className: "table" }, table)));
}

function shape(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Round figures that hold both: three or four steps of 1, 2 or 5 times a power of ten; whole ones. */
function scale(low, high) {
  const rough = Math.max(1, (high - low) / 3);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough);
  const from = Math.floor(low / step) * step;
  return { from, to: Math.max(from + step, Math.ceil(high / step) * step), step };
}
