// The barber's console: signs in, finds the line, and wires what is shown to what can be done.

import "./elements.js";
import * as act from "./console-actions.js";
import { Appointments } from "./console-appointments.js";
import { Desk } from "./console-desk.js";
import { Figures } from "./console-figures.js";
import { keys } from "./console-keys.js";
import { openMenu } from "./console-menu.js";
import { Payment } from "./console-payment.js";
import { askClose, askPerson, askReason, askStatus, askTransfer, askWalkIn } from "./console-sheets.js";
import { Sorter } from "./console-sort.js";
import { allDetails, View } from "./console-view.js";
import { whyNot, who } from "./console-words.js";
import { storageOf } from "./barberpro-commands.js";
import { button, byId, el } from "./dom.js";
import { signedIn } from "./signin.js";
import { texts, translate } from "./texts.js";

const AGAIN_MS = 3_000;

const session = await signedIn(byId("door"), { userType: "barber" });
const t = await texts("console");
translate(t);
const barberId = new URLSearchParams(location.search).get("barber") ?? session.user.barberId;
session.addEventListener("over", () => {
  const kept = storageOf("sessionStorage");
  for (const key of Object.keys(kept ?? {})) if (key.startsWith("barberpro.")) kept.removeItem(key);
  location.replace(location.pathname + location.search);
});
if (barberId) work(barberId);
else chooseLine();

function work(barberId) {
  const desk = new Desk(session, barberId);
  let about = null; // the shop, as it tells of itself
  const payment = new Payment(t, byId("payment"));
  const figures = new Figures(t, byId("figures"), desk);
  const appointments = new Appointments(t, desk, told);
  const view = new View(t, desk, payment, { openPerson, recall: (id, to) => told(act.recall(desk, id, to)) });
  const sorter = new Sorter(byId("line"), {
    may: (item) => !desk.asking.has(item.dataset.booking),
    drop: (item, beside) => moved(item.dataset.booking, beside),
    tell: (key, item, index, count) => {
      const entry = desk.person(item.dataset.booking);
      byId("moved").textContent = t(key, { who: who(t, entry), place: index + 2, count: count + 1 });
    },
    end: show,
  });

  byId("fresh").watch(desk.shop, desk.room);
  desk.addEventListener("changed", show);
  desk.addEventListener("refused", ({ detail }) => complain(detail));
  desk.addEventListener("gone", () => say(t("lineGone"), signOutButton()));
  desk.shop.addEventListener("status", away);
  payment.addEventListener("changed", show);
  byId("advance").addEventListener("click", main);
  byId("complete").addEventListener("click", () => told(act.complete(desk, payment.value)));
  byId("skip").addEventListener("click", () => withNext((id) => told(act.skip(desk, id))));
  byId("no-show").addEventListener("click", () => withNext((id) => told(act.noShow(desk, id))));
  byId("next-more").addEventListener("click", () => withNext(openPerson));
  byId("status").addEventListener("click", status);
  byId("walk-in").addEventListener("click", walkIn);
  byId("menu").addEventListener("click", () => openMenu(t, session, desk, leave));
  keys({ n: main, s: () => byId("skip").click(), x: () => byId("no-show").click(), w: walkIn, o: status });

  function show() {
    if (!desk.state) return;
    if (byId("desk").hidden) begin();
    view.show(about, sorter.held !== null);
    figures.show();
    appointments.show(about);
  }

  function begin() {
    byId("door").hidden = true;
    byId("desk").hidden = false;
    learn();
  }

  // What the shop offers changes seldom: asked for once, and until it is known.
  async function learn() {
    try {
      about = await session.ask("GET", `/shops/${desk.state.shopId}`);
      show();
    } catch {
      setTimeout(learn, AGAIN_MS);
    }
  }

  function away() {
    byId("away").hidden = desk.shop.status === "live" || desk.shop.status === "connecting";
  }

  // Where everything that was asked for ends: in the line as it is shown, or in words that say why not.
  async function told(asked) {
    byId("problem").textContent = "";
    const outcome = await asked;
    if (outcome.problem) complain(outcome);
    return outcome;
  }

  function complain({ command, problem }) {
    const paid = payment.complain(problem);
    byId("problem").textContent = paid ? "" : whyNot(t, command, problem);
  }

  function main() {
    const { does } = byId("advance").dataset;
    if (does === "open") told(act.open(desk));
    else if (does === "advance") told(act.advance(desk, payment.value));
  }

  function withNext(what) {
    const id = desk.state.next?.bookingId;
    if (id) what(id);
  }

  async function status() {
    const chosen = await askStatus(t, desk.state.status);
    if (chosen === "open") return told(act.open(desk));
    if (chosen?.reason !== undefined) return told(act.pause(desk, chosen.reason));
    if (chosen !== "close") return;
    const { waiting, next } = desk.state;
    const kept = await askClose(t, waiting.length + (next ? 1 : 0));
    if (kept) await told(act.close(desk, kept));
  }

  async function walkIn() {
    if (!about) return;
    const { services = [] } = about.barbers.find((barber) => barber.barberId === barberId) ?? {};
    await askWalkIn(t, services, about.currency, async (fields) => {
      const outcome = await act.join(desk, fields);
      return { ...outcome, words: outcome.problem && whyNot(t, outcome.command, outcome.problem) };
    });
  }

  async function moved(bookingId, beside) {
    const reason = await askReason(t, who(t, desk.person(bookingId)));
    if (reason) await told(act.move(desk, bookingId, beside, reason));
  }

  async function openPerson(bookingId) {
    const entry = desk.person(bookingId);
    if (!entry) return;
    const chosen = await askPerson(t, who(t, entry), allDetails(t, entry), actionsFor(entry));
    await chosen?.();
  }

  function actionsFor({ bookingId, status: place }) {
    const { waiting, serving } = desk.state;
    const ids = waiting.map((entry) => entry.bookingId);
    const at = ids.indexOf(bookingId);
    const to = (text, index) => ({
      text: t(text), value: () => moved(bookingId, { before: ids[index] ?? null, after: ids[index - 1] ?? null }),
    });
    const rest = [
      { text: t("skip"), value: () => told(act.skip(desk, bookingId)) },
      { text: t("transfer"), value: () => handOver(bookingId) },
      { text: t("cancel"), value: () => told(act.cancel(desk, bookingId)), alarm: true },
    ];
    if (place === "next") return [...(serving ? [] : [{ text: t("start"), value: main }]), ...rest.slice(1)];
    return [
      ...(at > 0 ? [to("moveFirst", 0), to("moveUp", at - 1)] : []),
      ...(at >= 0 && at < ids.length - 1 ? [to("moveDown", at + 2)] : []),
      ...rest,
    ];
  }

  async function handOver(bookingId) {
    const toBarber = await askTransfer(t, who(t, desk.person(bookingId)), desk.others);
    if (toBarber) await told(act.transfer(desk, bookingId, toBarber));
  }
}

/** For whoever has no line of their own: those of the shops where they work. */
async function chooseLine() {
  const about = (id) => session.ask("GET", `/shops/${id}`).catch(() => ({ barbers: [] }));
  const shops = await Promise.all(session.user.shopIds.map(about));
  const links = shops.flatMap((shop) => shop.barbers.map(({ barberId: id, name }) =>
    el("a", { className: "button", href: `/console?barber=${id}`, textContent: `${name} · ${shop.name}` })));
  if (!links.length) return say(t("noLine"), signOutButton());
  say(t("chooseLine"), ...links, signOutButton());
}

function signOutButton() {
  return button(t("signOut"), leave);
}

// Without the server nobody is signed out: the session would go on without anybody knowing.
function leave() {
  session.signOut().catch(() => { byId("problem").textContent = t("no_network"); });
}

function say(text, ...nodes) {
  byId("desk").hidden = true;
  byId("door").hidden = false;
  byId("door").replaceChildren(el("div", { className: "card stack signin" }, el("h1", { textContent: text }), ...nodes));
}
