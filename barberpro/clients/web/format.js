// Figures as people read them, by Intl; digits are 0 to 9 in every language, as on the tickets.

import { language } from "./texts.js";

const IN_MINUTES = 100; // a wait that may be longer is told in half hours
const made = new Map(); // making a formatter takes a hundred times as long as using it

function formatter(Kind, options) {
  const key = `${Kind.name} ${language()} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Kind(`${language()}-u-nu-latn`, options));
  return made.get(key);
}

/** 250.00 INR as ₹250.00. @param {string} amount as on the wire */
export function money(amount, currency) {
  return formatter(Intl.NumberFormat, { style: "currency", currency }).format(Number(amount));
}

/** 25 min, 1 h 5 min. */
export function minutes(count) {
  const unit = (value, name) => formatter(Intl.NumberFormat, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  const [hours, rest] = [Math.floor(count / 60), count % 60];
  return [hours && unit(hours, "hour"), (rest || !hours) && unit(rest, "minute")].filter(Boolean).join(" ");
}

/** 10–20 min, or one of them where they are equal; 1.5–2.5 hr where minutes would promise more than is known. */
export function waitRange({ p50Minutes, p90Minutes }) {
  const [unit, count] = p90Minutes < IN_MINUTES ? ["minute", (each) => each] : ["hour", (each) => Math.round(each / 30) / 2];
  const [soon, late] = [count(p50Minutes), count(p90Minutes)];
  const last = formatter(Intl.NumberFormat, { style: "unit", unit, unitDisplay: "short" }).format(late);
  return soon >= late ? last : `${formatter(Intl.NumberFormat, {}).format(soon)}–${last}`;
}

/** 14:05. @param {string|number} at @param {string} [timeZone] the shop's; the device's by default */
export function time(at, timeZone) {
  return formatter(Intl.DateTimeFormat, { hour: "2-digit", minute: "2-digit", timeZone }).format(new Date(at));
}

/** 14:05:09, on this device. */
export function clock(at) {
  return formatter(Intl.DateTimeFormat, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at);
}

/** 21 Nov 2026. */
export function date(at, timeZone) {
  return formatter(Intl.DateTimeFormat, { dateStyle: "medium", timeZone }).format(new Date(at));
}

export function number(value, options = {}) {
  return formatter(Intl.NumberFormat, options).format(value);
}
