// Shows the desk: what the server last told, and which buttons are waiting for its answer.

import { apart, button, byId, el, put } from "./dom.js";
import { minutes, time } from "./format.js";
import { happened, who } from "./console-words.js";

const SLOW_MS = 250; // an answer that comes sooner needs no word about it

export class View {
  #t;
  #desk;
  #payment;
  #rows = new Map();  // by booking
  #shown = new Map(); // by place: what is shown there, to leave it alone while it is the same

  /**
   * @param {import("./console-desk.js").Desk} desk
   * @param {import("./console-payment.js").Payment} payment
   * @param {{openPerson(bookingId: string): void, recall(bookingId: string, to: string): void}} on
   */
  constructor(t, desk, payment, on) {
    this.#t = t;
    this.#desk = desk;
    this.#payment = payment;
    this.on = on;
  }

  /** @param {{currency: string}|null} about the shop @param {boolean} listHeld whether the list is being put in order */
  show(about, listHeld) {
    const { state, display } = this.#desk;
    const t = this.#t;
    const own = display?.queues?.find(({ barberId }) => barberId === state.barberId);
    put(byId("barber"), own?.barberName ?? "");
    put(byId("shop"), display?.shopName ?? "");
    document.title = t("title", { barber: own?.barberName ?? "BarberPro" });
    put(byId("latest"), happened(t, this.#desk));
    put(byId("status"), t(state.status));
    byId("status").dataset.status = state.status;
    this.#person(byId("chair"), state.serving, t("chairFree"));
    this.#payment.of(state.serving, about?.currency);
    this.#person(byId("next"), state.next, t("nobodyNext"));
    byId("next-actions").hidden = !state.next;
    put(byId("waiting-title"), t("waiting", { count: state.waiting.length }));
    byId("nobody-waits").hidden = state.waiting.length > 0;
    if (!listHeld) this.#line(state.waiting);
    this.#skipped(state.skipped);
    this.#deck(state);
    this.#mark();
  }

  #person(place, entry, nobody) {
    const t = this.#t;
    if (!this.#isNew(place, entry)) return;
    if (!entry) return place.replaceChildren(el("p", { className: "soft", textContent: nobody }));
    place.replaceChildren(
      el("p", { className: "figure token", textContent: String(entry.tokenNumber) }),
      el("div", {},
        el("p", { className: "name", textContent: entry.customerName ?? t("noName") }),
        el("p", { className: "soft", textContent: details(t, entry).join(" · ") }),
        entry.notes ? el("p", { className: "notes", textContent: entry.notes }) : null));
  }

  #isNew(place, value) {
    const text = JSON.stringify(value);
    const same = this.#shown.get(place) === text;
    this.#shown.set(place, text);
    return !same;
  }

  #line(waiting) {
    const list = byId("line");
    const wanted = waiting.map((entry) => this.#row(entry));
    const known = new Set(waiting.map(({ bookingId }) => bookingId));
    for (const id of this.#rows.keys()) {
      if (known.has(id)) continue;
      this.#rows.get(id).remove();
      this.#rows.delete(id);
    }
    const focused = document.activeElement;
    wanted.forEach((row, index) => {
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
    });
    // An element that is put in elsewhere loses the focus.
    if (list.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  #row(entry) {
    const t = this.#t;
    let row = this.#rows.get(entry.bookingId);
    if (!row) {
      row = this.#newRow(entry.bookingId);
      this.#rows.set(entry.bookingId, row);
    }
    put(row.querySelector(".token"), String(entry.tokenNumber));
    put(row.querySelector(".name"), entry.customerName ?? t("noName"));
    put(row.querySelector(".about"), details(t, entry).join(" · "));
    put(row.querySelector(".wait"), entry.estimatedWait ? minutes(entry.estimatedWait.p50Minutes) : "");
    row.querySelector(".grip").setAttribute("aria-label", t("grip", { who: who(t, entry) }));
    return row;
  }

  #newRow(bookingId) {
    const grip = el("button", {
      type: "button", className: "grip", textContent: "⠿", "aria-describedby": "how-to-move", "aria-pressed": "false",
    });
    const open = el("button", {
      type: "button", className: "entry", "aria-haspopup": "dialog", onclick: () => this.on.openPerson(bookingId),
    }, ...["token", "name", "wait soft small", "about soft small"].map((className) => el("span", { className })));
    return el("li", { data: { booking: bookingId, target: bookingId } }, grip, open);
  }

  #skipped(entries) {
    const place = byId("skipped");
    const t = this.#t;
    place.hidden = !entries.length;
    if (!this.#isNew(place, entries)) return;
    const back = (entry, to, text) => button(text, () => this.on.recall(entry.bookingId, to), "", {
      data: { target: entry.bookingId, ask: `recall_${to}` }, "aria-label": `${text}: ${who(t, entry)}`,
    });
    place.querySelector("ul").replaceChildren(...entries.map((entry) => el("li", { className: "row spread" },
      el("span", { textContent: who(t, entry) }),
      el("span", { className: "row" }, back(entry, "front", t("toFront")), back(entry, "back", t("toBack"))))));
  }

  /** The big button says what it will do, to the last word. */
  #deck(state) {
    const t = this.#t;
    const opens = state.status === "closed" && !state.serving && !state.next;
    const does = opens ? "open" : state.serving || state.next ? "advance" : "nothing";
    const what = opens ? "openLine" : state.serving ? (state.next ? "doneNext" : "done") : state.next ? "start" : "nobody";
    const paid = state.serving ? this.#payment.words : "";
    const next = state.next ? who(t, state.next) : "";
    const about = opens ? "" : state.serving
      ? [paid, next && t("calls", { who: next })].filter(Boolean).join(" · ")
      : next;
    put(byId("advance-what"), t(what));
    put(byId("advance-who"), about);
    byId("advance").dataset.does = does;
    byId("complete").hidden = !(state.serving && state.next);
    const line = this.#desk.asking.get("line");
    const changes = ["open", "pause", "close"].includes(line) ? line : "status";
    const following = state.next?.bookingId ?? "";
    for (const [id, ask, target] of [
      ["advance", does, "line"], ["complete", "complete", "line"], ["status", changes, "line"],
      ["skip", "skip", following], ["no-show", "no_show", following], ["next-more", "more", following],
    ]) Object.assign(byId(id).dataset, { ask, target });
  }

  // What is asked about cannot be asked about again; which button it was says so, when it takes a while.
  #mark() {
    const { asking } = this.#desk;
    for (const node of document.querySelectorAll("[data-target]")) {
      const about = asking.get(node.dataset.target);
      const pressed = about !== undefined && node.dataset.ask === about;
      const was = node.getAttribute("aria-busy") === "true";
      node.setAttribute("aria-busy", String(pressed || (node.tagName === "LI" && about !== undefined)));
      if (node.tagName !== "BUTTON") continue;
      node.setAttribute("aria-disabled", String(about !== undefined || node.dataset.does === "nothing"));
      if (pressed && !was) this.#sayLater(node);
      if (!pressed) delete node.dataset.slow;
    }
  }

  #sayLater(node) {
    setTimeout(() => { if (node.getAttribute("aria-busy") === "true") node.dataset.slow = this.#t("asking"); }, SLOW_MS);
  }
}

/** What is to be known of somebody at a glance. */
export function details(t, entry) {
  return [
    entry.services?.map(({ name }) => apart(name)).join(", "),
    entry.durationMinutes ? minutes(entry.durationMinutes) : "",
    entry.kind === "appointment" ? t("appointment") : "",
    entry.skipCount ? t("skippedTimes", { count: entry.skipCount }) : "",
  ].filter(Boolean);
}

/** And in full. */
export function allDetails(t, entry) {
  return [
    details(t, entry).join(" · "),
    entry.notes ? apart(entry.notes) : "",
    entry.joinedAt ? t("joinedAt", { time: apart(time(entry.joinedAt)) }) : "",
  ].filter(Boolean);
}
