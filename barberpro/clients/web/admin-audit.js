// The audit log: who did what, when and from where, and what was there before and after.

import { el } from "./dom.js";
import { listing } from "./listing.js";
import { id, lines, link, moment, soft } from "./admin-words.js";

export function show(page) {
  const { t } = page;
  listing(page, {
    path: "/admin/audit",
    filters: [
      { name: "action", kind: "text" },
      { name: "actorId", kind: "text" },
      { name: "shopId", kind: "shop" },
      { name: "objectType", kind: "text" },
      { name: "objectId", kind: "text" },
      { name: "requestId", kind: "text" },
      { name: "from", kind: "moment" },
      { name: "to", kind: "moment" },
    ],
    columns: [
      { head: t("when"), cell: (row) => moment(row.at) },
      { head: t("who"), cell: (row) => lines(t(`by_role_${row.actorRole}`), row.actorId ? link(row.actorId, "audit", { actorId: row.actorId }) : null) },
      { head: t("what"), cell: (row) => el("span", { className: "whole" }, link(row.action, "audit", { action: row.action })) },
      { head: t("about"), cell: (row) => lines(row.objectType, id(row.objectId), row.shopId && row.shopId !== row.objectId ? id(row.shopId) : null) },
      { head: t("from"), cell: (row) => lines(row.ip, soft(row.agent)) },
      { head: t("details"), cell: (row) => changes(t, row) },
    ],
  });
}

function changes(t, { before, after, requestId }) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const said = names.filter((name) => told(before?.[name]) !== told(after?.[name])).map((name) =>
    el("div", {}, el("dt", { textContent: name }), el("dd", {}, before ? el("del", { textContent: told(before[name]) }) : null, before ? " → " : null, el("ins", { textContent: told(after?.[name]) }))));
  return el("details", {}, el("summary", { textContent: t("show") }), el("dl", { className: "changes" }, ...said,
    el("div", {}, el("dt", { textContent: t("by_requestId") }), el("dd", {}, requestId ? id(requestId) : "–"))));
}

function told(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
