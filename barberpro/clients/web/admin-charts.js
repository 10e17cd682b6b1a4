// The charts of the figures, as far as there is something to draw.

import { columns, rows } from "./chart.js";
import { el } from "./dom.js";
import { date, minutes, money, number } from "./format.js";

const WHOLE = { maximumFractionDigits: 0 };
const SHORT = { notation: "compact", maximumFractionDigits: 1 };

/** @param {object} stats what /shops/{id}/analytics, /admin/analytics or /queue/stats tell */
export function charts(t, stats) {
  return [waits(t, stats), averages(t, stats), arrivals(t, stats), services(t, stats), ...stats.earnings.map((own) => earned(t, own))].filter(Boolean);
}

// Promised at joining as "10–20 min": half of all should wait no longer than the first, nine of ten no longer than the second.
function waits(t, { waits: told, days, shopId }) {
  if (!told) return shopId === null ? nothing(t, "waitsTitle", "waitsOfAShop") : null;
  if (!told.promised) return nothing(t, "waitsTitle", "waitsNone");
  const each = told.days ?? [{ ...told, date: days[0].date }];
  const about = t("waitsAbout", { share: percent(told.withinP90 / told.promised), half: percent(told.withinP50 / told.promised), count: told.promised });
  return columns({
    title: t("waitsTitle"), about: told.complete ? about : `${about} ${t("waitsIncomplete")}`, asTable: t("asTable"),
    heads: [t("day"), t("waitsP50"), t("waitsP90"), t("waitsBeyond")], labels: labelsOf(each), full: datesOf(each),
    series: [
      { name: t("waitsP50"), kind: "now", values: each.map((day) => day.withinP50) },
      { name: t("waitsP90"), kind: "soon", values: each.map((day) => day.withinP90 - day.withinP50) },
      { name: t("waitsBeyond"), kind: "alarm", values: each.map((day) => day.promised - day.withinP90) },
    ],
    format: number,
  });
}

function averages(t, { days, averageWaitMinutes: average }) {
  if (average === null || days.length < 2) return null;
  return columns({
    title: t("averageTitle"), about: t("averageAbout", { wait: minutes(Math.round(average)) }), asTable: t("asTable"), heads: [t("day"), t("fig_averageWait")],
    labels: labelsOf(days), full: datesOf(days), series: [{ name: t("fig_averageWait"), kind: "now", values: days.map((day) => Math.round(day.averageWaitMinutes ?? 0)) }],
    format: minutes, axis: number,
  });
}

function arrivals(t, { arrivals: told }) {
  if (!told) return null;
  const all = told.reduce((sum, count) => sum + count, 0);
  if (!all) return nothing(t, "arrivalsTitle", "arrivalsNone");
  const hours = told.map((_, hour) => `${String(hour).padStart(2, "0")}:00`);
  // A shop's night is no part of what is looked at.
  const first = Math.min(told.findIndex(Boolean), 8);
  const last = Math.max(told.findLastIndex(Boolean), 19) + 1;
  const busiest = told.indexOf(Math.max(...told));
  return columns({
    title: t("arrivalsTitle"), about: t("arrivalsAbout", { count: all, hour: hours[busiest] }), asTable: t("asTable"), heads: [t("hour"), t("joined")],
    labels: hours.slice(first, last), series: [{ name: t("joined"), kind: "now", values: told.slice(first, last) }], format: number,
  });
}

function services(t, { services: told }) {
  if (!told) return null;
  if (!told.length) return nothing(t, "servicesTitle", "servicesNone");
  return rows({
    title: t("servicesTitle"), about: t("servicesAbout", { name: told[0].name }), asTable: t("asTable"), heads: [t("service"), t("times")],
    labels: told.map(({ name }) => name), series: [{ name: t("times"), kind: "now", values: told.map(({ completed }) => completed) }], format: number,
  });
}

function earned(t, { currency, total, forTips, byMethod, days }) {
  const told = (value) => money(value, currency);
  const methods = Object.entries(byMethod).filter(([, amount]) => Number(amount)).map(([method, amount]) => `${t(`method_${method}`)} ${told(amount)}`);
  return columns({
    title: t("earnedTitle"), about: [t("earnedAbout", { total: told(total), tips: told(forTips) }), ...methods].join(" · "), asTable: t("asTable"),
    heads: [t("day"), t("forServices"), t("forTips")], labels: labelsOf(days), full: datesOf(days),
    series: [
      { name: t("forServices"), kind: "now", values: days.map((day) => Number(day.forServices)) },
      { name: t("forTips"), kind: "soon", values: days.map((day) => Number(day.forTips)) },
    ],
    format: told, axis: (value) => number(value, SHORT),
  });
}

function nothing(t, title, about) {
  return el("section", { className: "card" }, el("h2", { textContent: t(title) }), el("p", { className: "soft", textContent: t(about) }));
}

function percent(share) {
  return number(share, { style: "percent", ...WHOLE });
}

function labelsOf(days) {
  return days.map((day) => String(Number(day.date.slice(-2))));
}

function datesOf(days) {
  return days.map((day) => date(`${day.date}T12:00`));
}
