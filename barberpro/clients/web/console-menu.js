// The console's menu: language, keys, the shop's screens, and the way out.

import { keysAreOn, switchKeys } from "./console-keys.js";
import { button, el, field } from "./dom.js";
import { sheet } from "./sheets.js";
import { choose as chooseLanguage, LANGUAGES } from "./texts.js";

const SHORTCUTS = ["n", "s", "x", "w", "o"];
const SPOKEN = ["en", "hi", "ar"];

/** @param {() => void} leave signs out */
export async function openMenu(t, session, desk, leave) {
  const next = await sheet(t("menu"), t("back"), (close) => ({ content: [
    languages(t), shortcuts(t),
    el("a", {
      className: "button", href: `/display/${desk.state.shopId}`, target: "_blank", rel: "noopener", textContent: t("screen"),
    }),
    button(t("pairScreen"), () => close(() => pair(t, session, desk.state.shopId))),
    button(t("signOut"), () => close(leave)),
  ] }));
  await next?.();
}

function languages(t) {
  const select = el("select", { id: "language", onchange: () => {
    chooseLanguage(select.value);
    location.reload();
  } }, ...SPOKEN.map((code) => el("option", {
    value: code, textContent: LANGUAGES[code], lang: code, selected: code === t.language,
  })));
  return el("p", { className: "field" }, el("label", { htmlFor: "language", textContent: t("language") }), select);
}

function shortcuts(t) {
  const box = el("input", { type: "checkbox", checked: keysAreOn(), onchange: () => switchKeys(box.checked) });
  return el("details", {}, el("summary", { textContent: t("keys") }),
    el("label", { className: "choice" }, box, el("span", { textContent: t("keysOn") })),
    el("ul", {}, ...SHORTCUTS.map((key) =>
      el("li", {}, el("kbd", { textContent: key.toUpperCase() }), ` ${t(`key_${key}`)}`))));
}

/** The code that a screen or a kiosk shows, confirmed by whoever works in the shop. */
function pair(t, session, shopId) {
  return sheet(t("pairScreen"), t("back"), (close) => {
    const code = field(t("pairCode"), { maxLength: 12, autocomplete: "off", autocapitalize: "characters" });
    const name = field(t("pairName"), { maxLength: 80, value: t("screen") });
    const kind = el("select", { id: "device-kind" },
      el("option", { value: "displays", textContent: t("aScreen") }),
      el("option", { value: "kiosks", textContent: t("aKiosk") }));
    const kindRow = el("p", { className: "field" }, el("label", { htmlFor: "device-kind", textContent: t("pairKind") }), kind);
    const told = el("p", { className: "problem", role: "alert" });
    const submit = async () => {
      const body = { code: code.input.value.trim().toUpperCase(), name: name.input.value.trim() };
      try {
        await session.ask("POST", `/shops/${shopId}/${kind.value}/pair`, { body });
        close(null);
      } catch (problem) {
        const fields = Object.fromEntries((problem.fields ?? []).map((one) => [one.path, one.problem]));
        code.complain(fields.code ?? (problem.code === "NOT_FOUND" ? t("no_NOT_FOUND") : ""));
        name.complain(fields.name ?? "");
        told.textContent = Object.keys(fields).length || problem.code === "NOT_FOUND" ? "" : problem.message;
      }
    };
    const go = el("button", { type: "submit", className: "button main", textContent: t("pairDo") });
    return { content: [code.row, kindRow, name.row, told], actions: [go], first: code.input, submit };
  });
}
