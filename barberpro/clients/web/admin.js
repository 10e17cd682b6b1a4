// The dashboard: signs in, and shows the sections that the role of whoever signed in may see.
//
// A section is a module that is loaded when it is first looked at. The part of the address behind the # names it, and
// what is looked for in it: #bookings?status=waiting.

import "./elements.js";
import { storageOf } from "./barberpro-commands.js";
import { BarberPro } from "./barberpro.js";
import { Shops } from "./admin-shops.js";
import { addressOf } from "./admin-words.js";
import { byId, button, el, put } from "./dom.js";
import { sheet } from "./sheets.js";
import { signedIn } from "./signin.js";
import { choose, LANGUAGES, texts, translate } from "./texts.js";

const SPOKEN = ["en", "hi", "ar"];
const SECTIONS = {
  lines: () => import("./admin-lines.js"),
  figures: () => import("./admin-figures.js"),
  bookings: () => import("./admin-bookings.js"),
  payments: () => import("./admin-payments.js"),
  barbers: () => import("./admin-people.js"),
  users: () => import("./admin-people.js"),
  audit: () => import("./admin-audit.js"),
  reviews: () => import("./admin-reviews.js"),
  exports: () => import("./admin-exports.js"),
  flags: () => import("./admin-flags.js"),
  letters: () => import("./admin-letters.js"),
  jobs: () => import("./admin-jobs.js"),
  blocks: () => import("./admin-blocks.js"),
};
const OF_STAFF = ["lines", "figures", "bookings", "payments"];

const session = await signedIn(byId("door"), { userType: "barber" });
const t = await texts("admin");
translate(t);
session.addEventListener("over", () => location.replace(location.pathname + location.search));
const role = session.user.userType;
const sections = { admin: Object.keys(SECTIONS), barber: OF_STAFF }[role] ?? [];
if (sections.length && (role === "admin" || session.user.shopIds.length)) begin();
else refuse();

function begin() {
  const shop = new BarberPro({ token: () => session.token(), storage: storageOf("sessionStorage") });
  const page = { t, session, shop, admin: role === "admin", shops: new Shops(session) };
  let end = null; // what the present section does
  let turn = 0;
  byId("door").hidden = true;
  byId("desk").hidden = false;
  put(byId("who"), session.user.name ?? session.user.email ?? "");
  byId("sections").replaceChildren(...sections.map((name) =>
    el("li", {}, el("a", { href: addressOf(name), textContent: t(name), data: { section: name } }))));
  byId("menu").addEventListener("click", menu);
  addEventListener("hashchange", () => show(true));
  show(false);

  async function show(moved) {
    const [asked, query = ""] = location.hash.slice(1).split("?");
    const name = sections.includes(asked) ? asked : sections[0];
    const own = ++turn;
    end?.();
    end = null;
    document.title = t("title", { section: t(name) });
    for (const link of byId("sections").querySelectorAll("a")) {
      if (link.dataset.section === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    byId("sections").querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });
    const heading = el("h1", { textContent: t(name), tabIndex: -1 });
    const place = el("section", { className: "stack", data: { section: name } });
    byId("view").replaceChildren(heading, place);
    if (moved) heading.focus();
    try {
      const module = await SECTIONS[name]();
      if (own === turn) end = module.show({ ...page, name, place, query: new URLSearchParams(query) }) ?? null;
    } catch (problem) {
      if (own !== turn) return;
      place.replaceChildren(el("p", { className: "problem", role: "alert", textContent: t("noAnswer") }), button(t("again"), () => show(true)));
      if (!(problem instanceof TypeError)) throw problem; // which is what a part that did not come is
    }
  }
}

function menu() {
  sheet(t("menu"), t("back"), (close) => ({ content: [
    languages(),
    session.user.userType === "barber" ? el("a", { className: "button", href: "/console", textContent: t("console") }) : null,
    button(t("signOut"), () => { close(null); leave(byId("view")); }),
  ].filter(Boolean) }));
}

function languages() {
  const select = el("select", { id: "language", onchange: () => {
    choose(select.value);
    location.reload();
  } }, ...SPOKEN.map((code) => el("option", { value: code, textContent: LANGUAGES[code], lang: code, selected: code === t.language })));
  return el("p", { className: "field" }, el("label", { htmlFor: "language", textContent: t("language") }), select);
}

function refuse() {
  document.title = t("title", { section: t("dashboard") });
  byId("door").replaceChildren(el("div", { className: "card stack signin" }, el("h1", { textContent: t("notYours") }),
    button(t("signOut"), () => leave(byId("door")))));
}

/** Signs out; told in the place when that cannot be. */
function leave(place) {
  session.signOut().catch(() => place.prepend(el("p", { className: "problem", role: "alert", textContent: t("noAnswer") })));
}
