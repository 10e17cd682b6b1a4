// Today's appointments that have not come yet: no room tells of them, so they are asked for when the line moves.

import { apart, byId, button, el } from "./dom.js";
import { time } from "./format.js";
import { checkIn } from "./console-actions.js";

const LATER_MS = 900;
const MOST = 100;

export class Appointments {
  #t;
  #desk;
  #told;
  #timer = 0;
  #seen = "";
  #list = [];

  /** @param {(outcome: Promise<object>) => void} told of what came of a press */
  constructor(t, desk, told) {
    this.#t = t;
    this.#desk = desk;
    this.#told = told;
  }

  /** @param {{timeZone: string}|null} about the shop */
  show(about) {
    const { state } = this.#desk;
    const version = `${state.epoch}.${state.seq}`;
    if (!about || version === this.#seen) return;
    this.#seen = version;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(about), LATER_MS);
  }

  async #load({ timeZone }) {
    const { barberId, shopId, businessDate } = this.#desk.state;
    const query = new URLSearchParams({ shopId, barberId, status: "scheduled", kind: "appointment", limit: MOST });
    try {
      const listed = await this.#desk.session.ask("GET", `/bookings?${query}`);
      const day = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
      this.#list = listed.filter(({ appointmentAt }) => day.format(new Date(appointmentAt)) === businessDate)
        .sort((one, other) => one.appointmentAt.localeCompare(other.appointmentAt));
    } catch {
      return; // what was there stays; the next change asks again
    }
    this.#render(timeZone);
  }

  #render(timeZone) {
    const t = this.#t;
    const place = byId("appointments");
    place.hidden = !this.#list.length;
    place.querySelector("ul").replaceChildren(...this.#list.map(({ bookingId, customerName, appointmentAt }) => {
      const name = apart(customerName ?? t("noName"));
      const here = button(t("checkIn"), () => this.#told(checkIn(this.#desk, bookingId)), "", {
        data: { target: bookingId, ask: "check_in" }, "aria-label": `${t("checkIn")}: ${name}`,
      });
      const when = el("span", { textContent: `${time(appointmentAt, timeZone)} ${name}` });
      return el("li", { className: "row spread" }, when, here);
    }));
  }
}
