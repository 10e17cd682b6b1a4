// Words that several sections have: times, people and states as they are shown in tables.

import { el } from "./dom.js";
import { date, time } from "./format.js";

/** 21 Nov 2026, 14:05, on this device's clock; nothing for null. */
export function moment(at) {
  return at ? el("time", { dateTime: at, textContent: `${date(at)} ${time(at)}` }) : null;
}

/** A moment with what it is of before it; nothing for null. */
export function labelled(text, at) {
  return at ? el("span", { className: "soft small" }, `${text} `, moment(at)) : null;
}

/** An id, which one reads letter by letter. */
export function id(text) {
  return text ? el("code", { textContent: text }) : null;
}

/** The address of a section. With the page's own before the #: a mere # would be a place within the page. */
export function addressOf(section, query = {}) {
  const kept = new URLSearchParams(query);
  return `${location.pathname}${location.search}#${section}${kept.size ? `?${kept}` : ""}`;
}

/** A link into another section. */
export function link(text, section, query) {
  return el("a", { href: addressOf(section, query), textContent: text });
}

/** Several things, each on its own line. */
export function lines(...parts) {
  return el("div", {}, ...parts.filter(Boolean).map((part) => el("div", {}, part)));
}

/** Less important than what stands beside it. */
export function soft(text) {
  return text ? el("span", { className: "soft small", textContent: text }) : null;
}

/** [value, text] of each, for a filter. */
export function choices(t, prefix, values) {
  return values.map((value) => [value, t(`${prefix}_${value}`)]);
}
