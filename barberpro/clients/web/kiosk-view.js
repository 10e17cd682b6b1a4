// What a kiosk shows: one step at a time, in tiles that a thumb finds. Holds what is being chosen.

import { minutes, money, time } from "./format.js";
import { LANGUAGES, translate } from "./texts.js";

const FIRST = "first";  // whoever is free first
const STEPS = ["pair", "start", "choose", "done"];

const byId = (id) => document.getElementById(id);

export class KioskView {
  #t = null;
  #to;
  #shop = null;
  #queues = new Map();
  #chosen = FIRST;
  #wanted = new Set();
  #taken = null;  // {tokenNumber, barberId}
  #step = "";
  #away = false;

  /** @param {{begin(), take(wish: object), restart(), language(tag: string)}} to what a touch asks for */
  constructor(to) {
    this.#to = to;
    byId("take").addEventListener("click", () => this.#take());
    byId("print").addEventListener("click", () => print());
    for (const button of document.querySelectorAll(".back")) button.addEventListener("click", () => to.restart());
  }

  speak(t) {
    this.#t = t;
    translate(t);
    document.title = t("title");
    byId("languages").replaceChildren(...["en", "hi", "ar"].map((tag) => this.#language(tag)));
    this.#refresh();
  }

  /** @param {object} shop as GET /shops/{id} tells it */
  offer(shop) {
    this.#shop = shop;
    byId("shop").textContent = shop.name;
    this.#refresh();
  }

  lines(queues) {
    this.#queues = new Map(queues.map((queue) => [queue.barberId, queue]));
    this.#refresh();
  }

  /** Whether the server is out of reach: nobody can take a number then, and the screen says so. */
  away(whether) {
    this.#away = whether;
    this.notice(whether ? this.#t("away") : "");
    this.#refresh();
  }

  watch(shop, room) {
    byId("fresh").hidden = false;
    byId("fresh").watch(shop, room);
  }

  notice(words) {
    byId("notice").textContent = words;
    byId("notice").hidden = !words;
  }

  problem(words) {
    byId("problem").textContent = words;
  }

  warn(left) {
    byId("idle").hidden = !left;
    byId("idle").textContent = left ? this.#t("stillThere", { seconds: left }) : "";
  }

  askToPair(code) {
    this.notice("");
    byId("code").textContent = code;
    this.#go("pair");
  }

  start() {
    [this.#chosen, this.#wanted, this.#taken] = [FIRST, new Set(), null];
    this.notice(this.#away ? this.#t("away") : "");
    this.showCode("");
    byId("wait").wait = null;
    for (const id of ["number", "with", "printed"]) byId(id).textContent = "";
    this.#go("start");
  }

  choose() {
    this.problem("");
    const services = this.#offered();
    this.#wanted = new Set(services.length === 1 ? [services[0].serviceId] : []);
    byId("services").replaceChildren(...services.map((service) => this.#service(service)));
    this.#go("choose");
  }

  busy(whether) {
    byId("take").disabled = whether;
    byId("take").textContent = this.#t(whether ? "taking" : "take");
    if (whether) this.problem("");
  }

  /** @param {object} booking as a join answers it */
  done({ tokenNumber, barberId, position }) {
    this.#taken = { tokenNumber, barberId };
    const barber = this.#shop.barbers.find((each) => each.barberId === barberId);
    byId("number").textContent = tokenNumber;
    byId("with").textContent = [this.#t("with", { barber: barber.name }),
      position > 1 ? this.#t("ahead", { people: position - 1 }) : this.#t("next")].join(" · ");
    byId("printed").textContent = `${this.#shop.name} · ${time(Date.now(), this.#shop.timeZone)}`;
    this.#go("done");
  }

  /** @param {string} address of the ticket's picture; an empty one takes the last away */
  showCode(address) {
    const image = byId("qr");
    if (image.src) URL.revokeObjectURL(image.src);
    if (address) image.src = address;
    else image.removeAttribute("src");
    image.alt = this.#t("scan");
    byId("qr-box").hidden = !address;
  }

  #go(step) {
    const other = step !== this.#step;
    this.#step = step;
    for (const each of STEPS) byId(each).hidden = each !== step;
    this.#refresh();
    if (other) byId(step).querySelector("h1").focus(); // what reads aloud goes on there
  }

  #refresh() {
    if (this.#step === "start" && this.#shop) this.#barbers();
    if (this.#step === "choose") this.#choice();
    if (this.#step === "done") this.#wait();
  }

  // As the shop's screen tells it of the number that was just taken; of the first ten, that is.
  #wait() {
    const { next, waiting } = this.#queues.get(this.#taken.barberId);
    const entry = [next, ...waiting].find((each) => each?.tokenNumber === this.#taken.tokenNumber);
    if (entry) byId("wait").wait = entry.estimatedWait;
    byId("wait-line").hidden = !byId("wait").wait;
  }

  // Tiles are made once, and then only written to: one that is just being touched must not go.
  #barbers() {
    const all = this.#shop.barbers.length > 1 ? [{ barberId: FIRST, name: this.#t("first") }, ...this.#shop.barbers] : this.#shop.barbers;
    const box = byId("barbers");
    const present = [...box.children].map((each) => each.dataset.id).join();
    if (present !== all.map(({ barberId }) => barberId).join()) box.replaceChildren(...all.map((each) => this.#barber(each)));
    all.forEach(({ barberId, name }, at) => {
      const queue = this.#queueOf(barberId);
      const open = queue?.status === "open";
      const tile = box.children[at];
      tile.disabled = !open || this.#away;
      tile.querySelector(".who").textContent = name;
      tile.querySelector(".how").textContent = this.#about(barberId, queue);
      tile.querySelector("bp-wait").wait = open ? queue.estimatedWait : null;
    });
  }

  #barber({ barberId }) {
    const tile = Object.assign(document.createElement("button"), { className: "tile" });
    tile.dataset.id = barberId;
    for (const name of ["who", "how"]) tile.append(Object.assign(document.createElement("span"), { className: name }));
    tile.append(document.createElement("bp-wait"));
    tile.addEventListener("click", () => {
      this.#chosen = barberId;
      this.#to.begin();
    });
    return tile;
  }

  #about(barberId, queue) {
    if (!queue) return this.#queues.size ? this.#t("closed") : "";
    if (queue.status !== "open") return this.#t(queue.status);
    if (barberId === FIRST) return queue.barberName;
    const people = queue.waitingCount + (queue.next ? 1 : 0);
    return people ? this.#t("waiting", { people }) : this.#t("nobody");
  }

  #queueOf(barberId) {
    return this.#queues.get(barberId === FIRST ? this.#free()?.barberId : barberId);
  }

  // The barber who does all that is wanted, and whose line is the shortest.
  #free() {
    const does = ({ services }) => [...this.#wanted].every((id) => services.some(({ serviceId }) => serviceId === id));
    const wait = ({ barberId }) => this.#queues.get(barberId).estimatedWait.p50Minutes;
    return this.#shop.barbers.filter((barber) => this.#queues.get(barber.barberId)?.status === "open" && does(barber))
      .sort((one, other) => wait(one) - wait(other))[0];
  }

  #offered() {
    const barbers = this.#shop.barbers.filter(({ barberId }) =>
      this.#chosen === FIRST ? this.#queues.get(barberId)?.status === "open" : barberId === this.#chosen);
    return [...new Map(barbers.flatMap(({ services }) => services).map((each) => [each.serviceId, each])).values()];
  }

  #service({ serviceId, name, price, durationMinutes }) {
    const tile = Object.assign(document.createElement("button"), { className: "tile" });
    const told = [["who", name], ["how", minutes(durationMinutes)], ["price", money(price, this.#shop.currency)]];
    tile.append(...told.map(([className, textContent]) => Object.assign(document.createElement("span"), { className, textContent })));
    tile.dataset.id = serviceId;
    tile.addEventListener("click", () => {
      if (!this.#wanted.delete(serviceId)) this.#wanted.add(serviceId);
      this.problem("");
      this.#choice();
    });
    return tile;
  }

  #choice() {
    for (const tile of byId("services").children) tile.setAttribute("aria-pressed", String(this.#wanted.has(tile.dataset.id)));
  }

  #take() {
    if (!this.#wanted.size) return this.problem(this.#t("chooseOne"));
    const barberId = this.#chosen === FIRST ? this.#free()?.barberId : this.#chosen;
    if (!barberId) return this.problem(this.#t("nobodyDoes"));
    this.#to.take({ barberId, serviceIds: [...this.#wanted] });
  }

  #language(tag) {
    const button = Object.assign(document.createElement("button"), { className: "button", lang: tag, textContent: LANGUAGES[tag] });
    button.setAttribute("aria-pressed", String(tag === this.#t.language));
    button.addEventListener("click", () => this.#to.language(tag));
    return button;
  }
}
