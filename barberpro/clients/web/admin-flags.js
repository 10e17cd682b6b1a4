// Feature flags: who sees what, and changing it.

import { button, el, field, put } from "./dom.js";
import { number } from "./format.js";
import { listing } from "./listing.js";
import { sheet } from "./sheets.js";
import { id, lines, link, moment, soft } from "./admin-words.js";

const NAME = "[A-Za-z][A-Za-z0-9_.\\-]{0,63}";

export function show(page) {
  const { t, place } = page;
  const told = el("p", { className: "soft", role: "status" });
  place.append(el("div", { className: "row" }, button(t("newFlag"), () => edit(page, null, changed))), told);
  const list = listing(page, {
    path: "/admin/flags",
    filters: [{ name: "userId", kind: "text" }],
    columns: [
      { head: t("flag"), cell: (flag) => lines(el("strong", { textContent: flag.name }), soft(flag.description)) },
      { head: t("forWhom"), cell: (flag) => reach(t, flag) },
      { head: t("sees"), cell: (flag) => (flag.seen === null ? soft(t("sayWho")) : lines(t(flag.seen.on ? "on" : "off"), soft(flag.seen.why ? t(`why_${flag.seen.why}`) : ""))) },
      { head: t("changed"), cell: (flag) => lines(moment(flag.changedAt), id(flag.changedBy), link(t("audit"), "audit", { objectType: "flag", objectId: flag.name })) },
      { head: t("change"), cell: (flag) => button(t("change"), () => edit(page, flag, changed), "", { "aria-label": t("changeFlag", { name: flag.name }) }) },
    ],
  });

  function changed(words) {
    put(told, words);
    list.reload();
  }
}

function reach(t, { percentage, targetUsers }) {
  const share = t("percentage", { share: number(percentage / 100, { style: "percent" }) });
  return lines(share, targetUsers.length ? soft(t("targets", { count: targetUsers.length })) : null,
    el("meter", { min: 0, max: 100, value: percentage, "aria-label": share }));
}

/** @param {object|null} flag null for a new one */
function edit({ t, session }, flag, changed) {
  return sheet(flag ? t("changeFlag", { name: flag.name }) : t("newFlag"), t("back"), (close) => {
    const name = field(t("flagName"), { maxLength: 64, pattern: NAME, autocomplete: "off", spellcheck: false }, t("flagNameHint"));
    const description = field(t("description"), { maxLength: 200, value: flag?.description ?? "" });
    const percentage = field(t("percentageOfAll"), { type: "number", min: 0, max: 100, step: 1, inputMode: "numeric", value: flag?.percentage ?? 0 });
    const targets = field(t("targetUsers"), { rows: 4, spellcheck: false, value: flag?.targetUsers.join("\n") ?? "" }, t("targetsHint"));
    const problem = el("p", { className: "problem", role: "alert" });
    const fields = { name, description, percentage, targetUsers: targets };
    const path = () => `/admin/flags/${encodeURIComponent(flag?.name ?? name.input.value.trim())}`;

    const tell = (refused) => {
      const named = (refused.fields ?? []).map((one) => [fields[one.path.split(".")[0]], one.problem]).filter(([where]) => where);
      for (const [where, words] of named) where.complain(words);
      if (!named.length) problem.textContent = refused.code ? refused.message : t("noAnswer");
    };
    const submit = async () => {
      problem.textContent = "";
      for (const each of Object.values(fields)) each.complain("");
      if (!flag && !new RegExp(`^${NAME}$`).test(name.input.value.trim())) return name.complain(t("flagNameHint"));
      const share = Number(percentage.input.value);
      if (percentage.input.value === "" || !Number.isInteger(share) || share < 0 || share > 100) return percentage.complain(t("badPercentage"));
      const body = { percentage: share, targetUsers: targets.input.value.split(/[\s,]+/).filter(Boolean), ...(description.input.value.trim() && { description: description.input.value.trim() }) };
      try {
        const made = await session.ask("PUT", path(), { body });
        close(null);
        changed(t("flagChanged", { name: made.name }));
      } catch (refused) {
        tell(refused);
      }
    };
    const remove = async () => {
      if (!(await sure(t, flag.name))) return;
      try {
        await session.ask("DELETE", path());
        close(null);
        changed(t("flagRemoved", { name: flag.name }));
      } catch (refused) {
        tell(refused);
      }
    };
    return {
      content: [...(flag ? [] : [name.row]), percentage.row, targets.row, description.row, problem, ...(flag ? [button(t("removeFlag"), remove, "alarm")] : [])],
      actions: [el("button", { type: "submit", className: "button main", textContent: t("save") })],
      first: flag ? percentage.input : name.input, submit,
    };
  });
}

function sure(t, name) {
  return sheet(t("removeSure", { name }), t("back"), (close) => ({
    content: [el("p", { textContent: t("removeAbout") })], actions: [button(t("removeFlag"), () => close(true), "alarm")],
  }));
}
