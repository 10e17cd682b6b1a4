// Today's numbers: of the line, and of what the server has counted and added up, where the line is the barber's own.

import { el } from "./dom.js";
import { minutes, money, number } from "./format.js";

const LATER_MS = 700; // after a change; several at once are one question

export class Figures {
  #t;
  #node;
  #desk;
  #stats = null;
  #earned = [];
  #timer = 0;
  #seen = "";

  /** @param {HTMLDListElement} node @param {import("./console-desk.js").Desk} desk */
  constructor(t, node, desk) {
    this.#t = t;
    this.#node = node;
    this.#desk = desk;
  }

  show() {
    const { state } = this.#desk;
    const version = `${state.epoch}.${state.seq}`;
    if (version !== this.#seen) this.#soon();
    this.#seen = version;
    this.#render();
  }

  #soon() {
    if (this.#desk.session.user.barberId !== this.#desk.barberId) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), LATER_MS);
  }

  // What cannot be had now stays as it was, and is asked for with the next change.
  async #load() {
    const get = (name) => this.#desk.session.ask("GET", `/queue/${name}?period=day`).catch(() => null);
    const [stats, money_] = await Promise.all([get("stats"), get("earnings")]);
    this.#stats = stats ?? this.#stats;
    this.#earned = money_?.earnings ?? this.#earned;
    this.#render();
  }

  #render() {
    const { counts, next } = this.#desk.state;
    const figures = [["figWaiting", number(counts.waiting + (next ? 1 : 0))], ["figCompleted", number(counts.completed)]];
    if (this.#stats) {
      // Who was skipped today may still come back: the server counts no-shows when the day is over.
      figures.push(["figNoShows", number(this.#stats.noShows + counts.skipped)]);
      figures.push(["figMinutes", minutes(this.#stats.serviceMinutes)]);
    } else {
      figures.push(["skipped", number(counts.skipped)]);
    }
    figures.push(["figCancelled", number(counts.cancelled)]);
    for (const { currency, total } of this.#earned) figures.push(["figEarned", money(total, currency)]);
    const rows = figures.map(([key, text]) => el("div", {},
      el("dt", { textContent: this.#t(key) }),
      el("dd", { textContent: text, data: { figure: key } })));
    if (this.#node.textContent !== rows.map((row) => row.textContent).join("")) this.#node.replaceChildren(...rows);
  }
}
