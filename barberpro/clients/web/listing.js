// A list that is searched by filters and read page by page. On a narrow screen each row is a card of its own.
//
// The filters stand in the address, so that what was found can be found again; those that are somebody's own, such as
// an address, do not.

import { button, el, field, put } from "./dom.js";
import { Refusal } from "./rest.js";
import { shopField } from "./admin-shops.js";
import { addressOf } from "./admin-words.js";

/**
 * @typedef {object} Filter
 * @property {string} name as in the query
 * @property {"text" | "choice" | "moment" | "shop"} kind
 * @property {[string, string][]} [choices] value and text
 * @property {string} [label] where it is not "by_" and its name
 * @property {boolean} [personal] not for the address
 *
 * @typedef {object} Column
 * @property {string} head
 * @property {(row: any) => string | Node | null} cell
 * @property {boolean} [figure] is read by its last digit
 */

/**
 * Shows the list in the page's place, and reads its first part.
 * @param {object} page @param {{path: string, filters: Filter[], columns: Column[], always?: object}} list
 *   path: a {filter} in it has to be given before anything is asked. always: what is asked besides
 * @returns {{reload(): void}}
 */
export function listing(page, { path, filters, columns, always = {} }) {
  const { t, session, place, query, name } = page;
  const placed = /\{(\w+)\}/.exec(path)?.[1];
  const fields = filters.map((filter) => filterField(page, filter, query.get(filter.name) ?? ""));
  const problem = el("p", { className: "problem", role: "alert" });
  const told = el("p", { className: "soft small", role: "status" });
  const { node, body, row } = table(t(name), columns);
  const more = button(t("more"), () => read(), "", { hidden: true });
  const form = el("form", { className: "filters", role: "search", noValidate: true, onsubmit: (event) => {
    event.preventDefault();
    search();
  } }, ...fields.map(({ row }) => row), el("div", { className: "row" },
    el("button", { type: "submit", className: "button main", textContent: t("search") }), button(t("clear"), clear)));
  let cursor = null;
  let turn = 0;
  let last = {}; // what was asked, for the parts that follow
  place.append(...(fields.length ? [form] : []), problem, told, node, el("div", { className: "row" }, more));
  search();

  function search() {
    const asked = values();
    if (!asked) return;
    const kept = new URLSearchParams(fields.filter(({ filter, raw }) => !filter.personal && raw()).map(({ filter, raw }) => [filter.name, raw()]));
    history.replaceState(null, "", addressOf(name, kept));
    cursor = null;
    read(asked);
  }

  function clear() {
    for (const each of fields) each.clear();
    search();
  }

  /** What is asked for; null when a field names nothing. */
  function values() {
    const asked = { ...always };
    for (const { filter, value, complain } of fields) {
      const now = value();
      complain("");
      if (now === null) {
        complain(t("isNone"));
        return null;
      }
      if (now) asked[filter.name] = now;
    }
    return asked;
  }

  async function read(asked = last) {
    const own = ++turn;
    const first = cursor === null;
    const { [placed]: subject, ...others } = asked;
    last = asked;
    if (placed && !subject) return nobody();
    problem.textContent = "";
    node.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      const parameters = new URLSearchParams({ ...others, ...(cursor !== null && { cursor }) });
      const at = path.replace(`{${placed}}`, encodeURIComponent(subject));
      const { data, meta } = await session.ask("GET", `${at}?${parameters}`, { whole: true });
      if (own !== turn) return;
      const made = data.map((one) => row(columns.map(({ cell }) => cell(one))));
      if (first) body.replaceChildren(...made);
      else body.append(...made);
      if (!first) made[0]?.focus();
      cursor = meta.nextCursor ?? null;
      show();
    } catch (refused) {
      if (own === turn) complain(refused);
    } finally {
      if (own === turn) node.removeAttribute("aria-busy");
      more.disabled = false;
    }
  }

  function show() {
    const count = body.children.length;
    node.hidden = count === 0;
    more.hidden = cursor === null;
    put(told, count ? t(cursor === null ? "shownAll" : "shown", { count }) : t(fields.some(({ raw }) => raw()) ? "nothingFound" : "nothingYet"));
  }

  function nobody() {
    body.replaceChildren();
    node.hidden = more.hidden = true;
    put(told, t("sayWhose"));
  }

  function complain(refused) {
    if (!(refused instanceof Refusal)) {
      problem.textContent = t("noAnswer");
      return;
    }
    const named = fields.filter(({ filter }) => refused.fields.some(({ path: at }) => at === filter.name));
    for (const each of named) each.complain(t("isNone"));
    if (!named.length) problem.textContent = refused.code === "FORBIDDEN" ? t("notYours") : refused.message;
  }

  return { reload: () => { cursor = null; read(); } };
}

/**
 * A table whose rows are cards on a narrow screen. row: makes one of its cells' contents; fill: puts rows in the place of
 * those that are there.
 * @param {string} label @param {Pick<Column, "head" | "figure">[]} columns
 */
export function table(label, columns) {
  const body = el("tbody", { role: "rowgroup" });
  const node = el("table", { role: "table", className: "cards", hidden: true, "aria-label": label },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...columns.map(({ head, figure }) =>
      el("th", { role: "columnheader", scope: "col", className: figure ? "figures" : "", textContent: head })))), body);
  const row = (cells) => el("tr", { role: "row", tabIndex: -1 }, ...cells.map((made, at) =>
    el("td", { role: "cell", className: columns[at].figure ? "figures" : "", data: { head: columns[at].head } }, typeof made === "object" ? made : String(made))));
  const fill = (rows) => {
    body.replaceChildren(...rows.map(row));
    node.hidden = rows.length === 0;
  };
  return { node, body, row, fill };
}

function filterField(page, filter, given) {
  const { t } = page;
  if (filter.kind === "shop") {
    const { row, value } = shopField(page, given);
    const input = row.querySelector("input, select");
    return { filter, row, value, raw: () => value() ?? "", complain: (text) => input.setAttribute("aria-invalid", String(Boolean(text))), clear: () => { input.value = ""; } };
  }
  if (filter.kind === "choice") {
    const id = `filter-${filter.name}`;
    const select = el("select", { id }, el("option", { value: "", textContent: t("any") }),
      ...filter.choices.map(([value, text]) => el("option", { value, textContent: text, selected: value === given })));
    const row = el("p", { className: "field" }, el("label", { htmlFor: id, textContent: filter.label ?? t(`by_${filter.name}`) }), select);
    const value = () => select.value;
    return { filter, row, value, raw: value, complain() {}, clear: () => { select.value = ""; } };
  }
  const type = filter.kind === "moment" ? "datetime-local" : "text";
  const made = field(t(`by_${filter.name}`), { type, value: given, autocomplete: "off", maxLength: 320, spellcheck: false });
  const raw = () => made.input.value.trim();
  const value = filter.kind === "moment" ? () => raw() && new Date(raw()).toISOString() : raw;
  return { filter, row: made.row, value, raw, complain: made.complain, clear: () => { made.input.value = ""; } };
}
