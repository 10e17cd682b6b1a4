// The ticket as it is shown. What a screen reader is told changes only when the words do.

import { reason } from "./reasons.js";
import { time } from "./format.js";

const byId = (id) => document.getElementById(id);

export class TicketView {
  #t;

  constructor(t) {
    this.#t = t;
  }

  /** @param {object} seen a booking's state, with shopName and barberName where they are known */
  show(seen) {
    const t = this.#t;
    byId("shop").textContent = seen.shopName ?? t("title");
    byId("ticket").hidden = false;
    byId("ticket").dataset.status = seen.status;
    write("number", seen.tokenNumber ?? "–");
    write("number-said", seen.tokenNumber ?? "");
    write("place", this.#place(seen));
    write("advice", this.#advice(seen));
    byId("wait").wait = seen.estimatedWait;
    byId("wait-box").hidden = !seen.estimatedWait;
    write("serving", seen.servingToken ?? "–");
    byId("serving-box").hidden = seen.position === null || seen.status === "serving";
    this.#offer(seen);
    document.title = this.#title(seen);
  }

  /** What stands here was true at this time (ms), and may not be any more; 0 takes that back. */
  aged(at) {
    this.notice(at ? this.#t("asOf", { time: time(at) }) : "");
  }

  notice(words) {
    write("notice", words);
    byId("notice").hidden = !words;
  }

  why(words) {
    write("why", words);
  }

  problem(words) {
    write("problem", words);
  }

  /** @param {object[]} changes as GET /bookings/{id}/history tells them, the oldest first */
  story(changes) {
    byId("story").hidden = changes.length === 0;
    byId("story").querySelector("ol").replaceChildren(...changes.toReversed().map((change) => this.#change(change)));
  }

  /** The ticket is of no use any more. */
  end(words) {
    for (const id of ["ticket", "actions", "story", "fresh"]) byId(id).hidden = true;
    this.why("");
    this.notice(words);
  }

  #place({ status, aheadCount }) {
    if (status !== "waiting") return this.#t(status);
    return this.#t("ahead", { people: aheadCount });
  }

  #advice({ status, servingToken, barberName, appointmentAt }) {
    if (status === "next") return this.#t(servingToken === null ? "come" : "beThere");
    if (status === "serving") return barberName ? this.#t("with", { barber: barberName }) : "";
    if (status === "scheduled") return appointmentAt ? this.#t("appointment", { time: time(appointmentAt) }) : "";
    if (status === "waiting") return barberName ? this.#t("with", { barber: barberName }) : "";
    return this.#t(`${status}Advice`);
  }

  #title(seen) {
    const words = this.#place(seen);
    return seen.tokenNumber ? `${seen.tokenNumber} · ${words}` : words;
  }

  #offer({ status }) {
    const inLine = status === "waiting" || status === "next";
    byId("actions").hidden = !inLine && status !== "scheduled";
    byId("check-in").hidden = status !== "scheduled";
    for (const id of ["alerts", "step-back"]) byId(id).hidden = !inLine;
    write("alerts", this.#t(status === "next" ? "alertMyTurn" : "alertMe"));
  }

  #change({ at, status, position, cause }) {
    const [item, when, words] = ["li", "time", "span"].map((name) => document.createElement(name));
    when.dateTime = at;
    when.textContent = time(at);
    const place = status === "waiting" ? this.#t("place", { position }) : this.#t(`${status}Short`);
    words.textContent = [reason(this.#t, cause, status), place].filter(Boolean).join(" · ");
    item.append(when, words);
    return item;
  }
}

function write(id, text) {
  if (byId(id).textContent !== String(text)) byId(id).textContent = text;
}
