// Reports as files: asked for, made by the server, and kept there for a week.

import { newId } from "./barberpro-commands.js";
import { shopField } from "./admin-shops.js";
import { button, el, field, put } from "./dom.js";
import { number } from "./format.js";
import { Refusal } from "./rest.js";
import { id, labelled, lines, moment, soft } from "./admin-words.js";

const FIRST_PAUSE_MS = 700;
const LONGEST_PAUSE_MS = 5_000;
const DAY_MS = 86_400_000;

export function show(page) {
  const exports = new Exports(page);
  exports.begin();
  return () => exports.end();
}

class Exports {
  #page;
  #body = el("tbody", { role: "rowgroup" });
  #rows = new Map(); // by export
  #told = el("p", { className: "unseen", role: "status" });
  #none;
  #problem = el("p", { className: "problem", role: "alert" });
  #table;
  #more;
  #cursor = null;
  #timer = 0;
  #pause = FIRST_PAUSE_MS;
  #over = false;

  constructor(page) {
    this.#page = page;
  }

  begin() {
    const { t, place } = this.#page;
    this.#more = button(t("more"), () => this.#read(this.#cursor), "", { hidden: true });
    this.#none = el("p", { className: "soft small", role: "status" });
    this.#table = el("table", { role: "table", className: "cards", hidden: true, "aria-label": t("exports") },
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...["report", "asked", "progress", "file"].map((head) =>
        el("th", { role: "columnheader", scope: "col", textContent: t(head) })))), this.#body);
    place.append(this.#form(), this.#problem, this.#told, this.#none, this.#table, el("div", { className: "row" }, this.#more));
    this.#read(null);
  }

  end() {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #form() {
    const { t } = this.#page;
    const select = (name, values, text) => {
      const input = el("select", { id: `export-${name}` }, ...values.map((value) => el("option", { value, textContent: text(value) })));
      return { input, row: el("p", { className: "field" }, el("label", { htmlFor: input.id, textContent: t(name) }), input) };
    };
    const report = select("report", ["bookings", "payments", "earnings", "reconciliation"], (value) => t(`report_${value}`));
    const format = select("format", ["csv", "pdf"], (value) => value.toUpperCase());
    const today = dayOf(Date.now());
    const from = field(t("firstDay"), { type: "date", value: dayOf(Date.now() - 29 * DAY_MS), max: today });
    const to = field(t("lastDay"), { type: "date", value: today });
    const shop = shopField(this.#page, "");
    return el("form", { className: "filters", noValidate: true, onsubmit: (event) => {
      event.preventDefault();
      const shopId = shop.value();
      if (shopId === null) return;
      const body = { report: report.input.value, format: format.input.value, from: from.input.value, to: to.input.value, ...(shopId && { shopId }) };
      this.#ask(body, { from, to });
    } }, report.row, format.row, from.row, to.row, shop.row, el("button", { type: "submit", className: "button main", textContent: t("makeFile") }));
  }

  async #ask(body, fields) {
    this.#problem.textContent = "";
    for (const each of Object.values(fields)) each.complain("");
    try {
      this.#put(await this.#page.session.ask("POST", "/admin/reports/export", { body, key: newId() }), true);
      this.#pause = FIRST_PAUSE_MS;
      this.#soon();
    } catch (refused) {
      const named = (refused.fields ?? []).filter(({ path }) => path in fields);
      for (const { path, problem } of named) fields[path].complain(problem);
      const missing = refused.fields?.some(({ path }) => path === "shopId");
      if (!named.length) this.#problem.textContent = missing ? this.#page.t("needsShop") : this.#words(refused);
    }
  }

  async #read(cursor) {
    try {
      const { data, meta } = await this.#page.session.ask("GET", `/admin/reports/exports?${new URLSearchParams(cursor ? { cursor } : {})}`, { whole: true });
      data.forEach((one) => this.#put(one, false));
      if (!this.#rows.size) put(this.#none, this.#page.t("nothingYet"));
      this.#cursor = meta.nextCursor ?? null;
      this.#more.hidden = this.#cursor === null;
      this.#soon();
    } catch (refused) {
      this.#problem.textContent = this.#words(refused);
    }
  }

  #soon() {
    clearTimeout(this.#timer);
    const unfinished = [...this.#rows.values()].filter(({ one }) => ["waiting", "running"].includes(one.status));
    if (!unfinished.length || this.#over) return;
    this.#timer = setTimeout(() => this.#follow(unfinished), this.#pause);
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 1.5);
  }

  async #follow(unfinished) {
    const { session } = this.#page;
    const told = await Promise.all(unfinished.map(({ one }) => session.ask("GET", `/admin/reports/exports/${one.exportId}`).catch(() => one)));
    if (this.#over) return;
    told.forEach((one) => this.#put(one, false));
    this.#soon();
  }

  #put(one, first) {
    const { t } = this.#page;
    const known = this.#rows.get(one.exportId);
    if (known?.one.status !== one.status && known) put(this.#told, `${t(`report_${one.report}`)}: ${t(`job_${one.status}`)}`);
    if (known && JSON.stringify(known.one) === JSON.stringify(one)) return;
    const cells = [
      lines(`${t(`report_${one.report}`)} · ${one.format.toUpperCase()}`, id(one.exportId)),
      moment(one.createdAt), this.#progress(one), this.#file(one),
    ];
    const heads = ["report", "asked", "progress", "file"];
    const row = el("tr", { role: "row", data: { export: one.exportId, status: one.status } }, ...cells.map((cell, at) =>
      el("td", { role: "cell", data: { head: t(heads[at]) } }, cell)));
    const focused = known?.row.contains(document.activeElement);
    if (known) known.row.replaceWith(row);
    else if (first) this.#body.prepend(row);
    else this.#body.append(row);
    if (focused) row.querySelector("button")?.focus();
    this.#rows.set(one.exportId, { one, row });
    this.#table.hidden = false;
    put(this.#none, "");
  }

  #progress(one) {
    const { t } = this.#page;
    const busy = one.status === "waiting" || one.status === "running";
    return lines(t(`job_${one.status}`), soft(t("rowsDone", { count: one.rowsDone })),
      busy ? el("progress", { "aria-label": t("progress") }) : null, one.problem ? soft(one.problem) : null);
  }

  #file(one) {
    const { t } = this.#page;
    if (one.status !== "done") return el("span", { className: "soft", textContent: "–" });
    return lines(button(t("download", { size: t("kilobytes", { size: number(Math.max(0.1, one.bytes / 1000), { maximumFractionDigits: 1 }) }) }), () => this.#download(one), "main"),
      labelled(t("keptUntil"), one.expiresAt));
  }

  // With the token, which a link could not send.
  async #download(one) {
    this.#problem.textContent = "";
    try {
      const { blob, name } = await this.#page.session.file(`/admin/reports/exports/${one.exportId}/file`);
      const url = URL.createObjectURL(blob);
      el("a", { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (refused) {
      this.#problem.textContent = this.#words(refused);
    }
  }

  #words(refused) {
    return refused instanceof Refusal ? refused.message : this.#page.t("noAnswer");
  }
}

function dayOf(at) {
  const day = new Date(at);
  return [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
