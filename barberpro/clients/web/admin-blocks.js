// Addresses that are kept out: seen, made and lifted.

import { button, el, field, put } from "./dom.js";
import { listing } from "./listing.js";
import { id, labelled, lines, moment, soft } from "./admin-words.js";
import { sheet } from "./sheets.js";

export function show(page) {
  const { t, session, place } = page;
  const told = el("p", { className: "soft", role: "status" });
  place.append(el("div", { className: "row" }, button(t("newBlock"), () => create(page, changed))), told);
  const list = listing(page, {
    path: "/admin/blocks",
    filters: [{ name: "active", kind: "choice", label: t("state"), choices: [["true", t("holds")]] }],
    columns: [
      { head: t("address"), cell: (row) => lines(id(row.network), soft(row.reason)) },
      { head: t("since"), cell: (row) => moment(row.at) },
      { head: t("ends"), cell: (row) => (row.liftedAt ? lines(labelled(t("lifted"), row.liftedAt), id(row.liftedBy)) : moment(row.until)) },
      { head: t("recordedBy"), cell: (row) => id(row.madeBy) },
      { head: t("change"), cell: (row) => (over(row) ? null : button(t("lift"), () => lift(row), "", { "aria-label": t("liftBlock", { network: row.network }) })) },
    ],
  });

  async function lift({ blockId, network }) {
    try {
      await session.ask("DELETE", `/admin/blocks/${blockId}`);
      changed(t("blockLifted", { network }));
    } catch (refused) {
      put(told, refused.code ? refused.message : t("noAnswer"));
    }
  }

  function changed(words) {
    put(told, words);
    list.reload();
  }
}

function over({ liftedAt, until }) {
  return liftedAt !== null || Date.parse(until) < Date.now();
}

function create({ t, session }, changed) {
  return sheet(t("newBlock"), t("back"), (close) => {
    const address = field(t("address"), { maxLength: 64, autocomplete: "off", spellcheck: false }, t("addressHint"));
    const minutes = field(t("blockMinutes"), { type: "number", min: 1, max: 525_600, step: 1, inputMode: "numeric", value: 60 });
    const reason = field(t("reason"), { maxLength: 200 });
    const problem = el("p", { className: "problem", role: "alert" });
    const fields = { address, minutes, reason };
    const submit = async () => {
      put(problem, "");
      for (const each of Object.values(fields)) each.complain("");
      const empty = Object.values(fields).find(({ input }) => !input.value.trim());
      if (empty) return empty.complain(t("isNeeded"));
      try {
        const made = await session.ask("POST", "/admin/blocks", {
          body: { address: address.input.value.trim(), minutes: Number(minutes.input.value), reason: reason.input.value.trim() },
        });
        close(null);
        changed(t("blockMade", { network: made.network }));
      } catch (refused) {
        const named = (refused.fields ?? []).filter(({ path }) => path in fields);
        for (const { path, problem: words } of named) fields[path].complain(words);
        if (!named.length) put(problem, refused.code ? refused.message : t("noAnswer"));
      }
    };
    return {
      content: [address.row, minutes.row, reason.row, problem], first: address.input, submit,
      actions: [el("button", { type: "submit", className: "button main", textContent: t("keepOut") })],
    };
  });
}
