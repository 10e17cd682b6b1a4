// Figures of a day, a week or a month: of all shops, of one for those who run it, of a barber's own line for all others.

import { ownStats, shopStats } from "./admin-stats.js";
import { charts } from "./admin-charts.js";
import { el, put } from "./dom.js";
import { clock, date, minutes, money, number } from "./format.js";
import { shopField } from "./admin-shops.js";
import { addressOf } from "./admin-words.js";

const AGAIN_MS = 30_000;
const PERIODS = ["day", "week", "month"];

export function show(page) {
  const { t, place, query, admin } = page;
  const shop = shopField(page, query.get("shop") ?? "", { changed: load, only: true });
  const period = el("select", { id: "period", onchange: load }, ...PERIODS.map((value) =>
    el("option", { value, textContent: t(`period_${value}`), selected: value === query.get("period") })));
  const day = el("input", { id: "day", type: "date", value: query.get("date") ?? "", onchange: load });
  const form = el("form", { className: "filters", onsubmit: (event) => { event.preventDefault(); load(); } }, shop.row,
    el("p", { className: "field" }, el("label", { htmlFor: "period", textContent: t("period") }), period),
    el("p", { className: "field" }, el("label", { htmlFor: "day", textContent: t("containing") }), day));
  const told = el("p", { className: "soft small", role: "status" });
  const problem = el("p", { className: "problem", role: "alert" });
  const now = el("section", { className: "card", "aria-labelledby": "now", hidden: true }, el("h2", { id: "now", textContent: t("now") }), el("dl", { className: "tiles" }));
  const done = el("section", { className: "card", "aria-labelledby": "done", hidden: true }, el("h2", { id: "done", textContent: t("done") }), el("dl", { className: "tiles" }));
  const drawings = el("div", { className: "charts" });
  place.append(form, problem, told, now, done, drawings);
  let turn = 0;
  let drawn = "";
  const timer = setInterval(() => { if (document.visibilityState !== "hidden" && !day.value) load(true); }, AGAIN_MS);
  load();
  return () => {
    turn++;
    clearInterval(timer);
  };

  async function load(again = false) {
    const own = ++turn;
    const shopId = shop.value();
    if (shopId === null) return;
    const asked = { period: period.value, ...(day.value && { date: day.value }) };
    const kept = new URLSearchParams({ ...(shopId && admin && { shop: shopId }), ...(period.value !== "day" && { period: period.value }), ...(day.value && { date: day.value }) });
    history.replaceState(null, "", addressOf("figures", kept));
    try {
      const stats = await statsOf(shopId, asked);
      if (own === turn) render(stats);
    } catch (refused) {
      if (own === turn && !(again === true && done.isConnected && !done.hidden)) problem.textContent = refused.code ? refused.message : t("noAnswer");
    }
  }

  async function statsOf(shopId, asked) {
    if (!shopId || await page.shops.runs(shopId)) return shopStats(page, shopId, asked);
    return ownStats(page, asked);
  }

  function render(stats) {
    problem.textContent = "";
    put(told, t(stats.shopId === null ? "figuresUtc" : stats.own ? "figuresOwn" : "figuresOf",
      { days: daysOf(stats), time: clock(Date.now()), zone: stats.timeZone }));
    now.hidden = !stats.now;
    if (stats.now) tiles(now, [...(stats.shopId === null ? ["shops"] : []), "openQueues", "serving", "waiting", "scheduled"].map((key) => [key, number(stats.now[key])]));
    done.hidden = false;
    const { averageWaitMinutes: wait } = stats;
    tiles(done, [["completed", number(stats.completed)], ["walkIns", number(stats.walkIns)], ["appointments", number(stats.appointments)],
      ["cancelled", number(stats.cancelled)], ["noShows", number(stats.noShows)], ["averageWait", wait === null ? "–" : minutes(Math.round(wait))],
      ["serviceMinutes", minutes(stats.serviceMinutes)],
      ...stats.earnings.map(({ currency, total }) => ["earned", money(total, currency)])]);
    // What did not change keeps its open tables.
    const version = JSON.stringify({ ...stats, now: null });
    if (version !== drawn) drawings.replaceChildren(...charts(t, stats));
    drawn = version;
  }

  function daysOf({ from: first, to: last }) {
    const [from, to] = [first, last].map((day) => date(`${day}T12:00`));
    return from === to ? from : t("fromTo", { from, to });
  }

  function tiles(section, figures) {
    section.querySelector("dl").replaceChildren(...figures.map(([key, text]) =>
      el("div", {}, el("dt", { textContent: t(`fig_${key}`) }), el("dd", { textContent: text, data: { figure: key } }))));
  }
}
