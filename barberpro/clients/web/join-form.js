// The form of the join page: barbers with their waits, services with their prices, a name. It moves with the lines.

import { minutes, money } from "./format.js";

const PHONE = /^\+?[0-9][0-9 ().-]{3,30}$/;   // as the server takes it
const FIRST = "first";                        // whoever is free first

export class JoinForm {
  #node;
  #t;
  #shop = null;
  #queues = new Map();   // by barber, as the display tells them
  #chosen = FIRST;
  #wanted = new Set();

  /** @param {HTMLFormElement} node @param {(wish: object) => void} send gets {barberId, serviceIds, customer} */
  constructor(node, t, send) {
    this.#node = node;
    this.#t = t;
    node.addEventListener("submit", (event) => {
      event.preventDefault();
      const wish = this.#wish();
      if (wish) send(wish);
    });
    node.addEventListener("input", ({ target }) => { // what is being mended is not told any more
      if (target.getAttribute("aria-invalid") === "true") this.#complain(target, "");
    });
    node.addEventListener("change", ({ target }) => {
      if (target.name === "barber") this.#choose(target.value);
      if (target.name === "service") this.#want(target.value, target.checked);
    });
  }

  show(whether) {
    this.#node.hidden = !whether;
  }

  busy(whether) {
    const button = this.#part("#join");
    button.disabled = whether;
    button.textContent = this.#t(whether ? "joining" : "join");
    if (whether) this.problem("");
  }

  problem(words) {
    this.#part("#problem").textContent = words;
  }

  /** @param {object} shop as a scan tells it: {currency, barbers: [{barberId, name, services}]} */
  offer(shop) {
    this.#shop = shop;
    const first = shop.barbers.length > 1 ? [{ barberId: FIRST, name: this.#t("first") }] : [];
    this.#chosen = first.length ? FIRST : shop.barbers[0]?.barberId;
    this.#part("#barbers").replaceChildren(...[...first, ...shop.barbers].map((barber) => this.#barber(barber)));
    this.#offerServices();
  }

  /** The newest lines. Nothing is made anew, so nobody loses the place in the form. */
  lines(queues) {
    this.#queues = new Map(queues.map((queue) => [queue.barberId, queue]));
    this.#refresh();
  }

  #part(selector) {
    return this.#node.querySelector(selector);
  }

  #barber({ barberId, name }) {
    const card = document.getElementById("barber").content.cloneNode(true).firstElementChild;
    const input = card.querySelector("input");
    input.value = barberId;
    input.checked = barberId === this.#chosen;
    card.querySelector(".who").textContent = name;
    return card;
  }

  #choose(barberId) {
    this.#chosen = barberId;
    this.#offerServices();
  }

  #want(serviceId, whether) {
    if (whether) this.#wanted.add(serviceId);
    else this.#wanted.delete(serviceId);
    this.#part("#services-problem").textContent = "";
    this.#refresh();
  }

  // What the chosen barber does; for whoever is free first, what anybody does. What was ticked stays so where it can.
  #offerServices() {
    const barbers = this.#chosen === FIRST ? this.#shop.barbers : [this.#barberOf(this.#chosen)];
    const offered = new Map(barbers.flatMap(({ services }) => services).map((service) => [service.serviceId, service]));
    this.#wanted = new Set([...this.#wanted].filter((serviceId) => offered.has(serviceId)));
    if (offered.size === 1) this.#wanted = new Set(offered.keys());
    this.#part("#services").replaceChildren(...[...offered.values()].map((service) => this.#service(service)));
    this.#refresh();
  }

  #service({ serviceId, name }) {
    const line = document.getElementById("service").content.cloneNode(true).firstElementChild;
    const input = line.querySelector("input");
    input.value = serviceId;
    input.checked = this.#wanted.has(serviceId);
    line.querySelector(".what").textContent = name;
    return line;
  }

  #refresh() {
    if (!this.#shop) return;
    const target = this.#target();
    for (const card of this.#node.querySelectorAll(".option")) this.#refreshBarber(card);
    for (const line of this.#node.querySelectorAll(".choice")) {
      const offer = this.#offerOf(line.querySelector("input").value, target);
      line.querySelector(".how").textContent = minutes(offer.durationMinutes);
      line.querySelector(".price").textContent = money(offer.price, this.#shop.currency);
    }
    this.#part("#sum").replaceChildren(...this.#sum(target));
  }

  #refreshBarber(card) {
    const input = card.querySelector("input");
    const queue = input.value === FIRST ? this.#queues.get(this.#free()?.barberId) : this.#queues.get(input.value);
    const open = queue?.status === "open";
    input.disabled = input.value !== FIRST && queue !== undefined && !open;
    card.querySelector(".how").textContent = this.#about(input.value, queue);
    card.querySelector(".wait").wait = open ? queue.estimatedWait : null;
  }

  #about(value, queue) {
    if (queue === undefined) return value === FIRST && this.#queues.size ? this.#t("allClosed") : "";
    if (value === FIRST) return queue.barberName;
    if (queue.status !== "open") return this.#t(queue.status);
    const people = queue.waitingCount + (queue.next ? 1 : 0);
    return people ? this.#t("waiting", { people }) : this.#t("nobody");
  }

  // Who would serve: the one who was chosen, or whoever does all that is wanted and is free first.
  #target() {
    return this.#chosen === FIRST ? this.#free() : this.#barberOf(this.#chosen);
  }

  #free() {
    const wait = ({ barberId }) => this.#queues.get(barberId).estimatedWait.p50Minutes;
    const does = ({ services }) => [...this.#wanted].every((id) => services.some(({ serviceId }) => serviceId === id));
    return this.#shop.barbers.filter((barber) => this.#queues.get(barber.barberId)?.status === "open" && does(barber))
      .sort((one, other) => wait(one) - wait(other))[0];
  }

  #barberOf(barberId) {
    return this.#shop.barbers.find((barber) => barber.barberId === barberId);
  }

  #offerOf(serviceId, target) {
    return [target, ...this.#shop.barbers].filter(Boolean).flatMap(({ services }) => services)
      .find((service) => service.serviceId === serviceId);
  }

  #sum(target) {
    const offers = [...this.#wanted].map((serviceId) => this.#offerOf(serviceId, target));
    if (!offers.length) return [];
    // In hundredths: sums of binary fractions are not what stands on the bill.
    const hundredths = offers.reduce((sum, { price }) => sum + Math.round(Number(price) * 100), 0);
    const told = [this.#t("total"), money(String(hundredths / 100), this.#shop.currency),
      minutes(offers.reduce((sum, { durationMinutes }) => sum + durationMinutes, 0))];
    return told.map((text, at) => Object.assign(document.createElement(at === 1 ? "strong" : "span"), { textContent: text }));
  }

  #complain(input, words) {
    this.#part(`#${input.id}-problem`).textContent = words;
    input.setAttribute("aria-invalid", String(Boolean(words)));
  }

  // What to send, or null: then what is missing is told, and the first of it has the focus.
  #wish() {
    const [name, phone] = ["name", "phone"].map((id) => this.#part(`#${id}`));
    const given = { name: name.value.trim(), phone: phone.value.trim() };
    const target = this.#target();
    const problems = [
      [this.#part("#barbers input:checked"), "", target ? "" : this.#t("allClosed"), "#problem"],
      [this.#part("#services input"), "", this.#wanted.size ? "" : this.#t("chooseOne"), "#services-problem"],
      [name, "name", given.name ? "" : this.#t("giveName"), "#name-problem"],
      [phone, "phone", !given.phone || PHONE.test(given.phone) ? "" : this.#t("badPhone"), "#phone-problem"],
    ];
    for (const [input, field, words, place] of problems) {
      if (field) this.#complain(input, words);
      else this.#part(place).textContent = words;
    }
    const first = problems.find(([, , words]) => words);
    if (first) {
      first[0]?.focus();
      return null;
    }
    const customer = given.phone ? given : { name: given.name };
    return { barberId: target.barberId, serviceIds: [...this.#wanted], customer };
  }
}
