// The live lines of all shops. Only those in view are watched, and no more than a user may have connections for; of the
// others the figures are those of the list, and say how old they are.

import { button, el, put } from "./dom.js";
import { clock, number } from "./format.js";
import { link } from "./admin-words.js";

const AT_ONCE = 24;
const MOST_WATCHED = 12; // a server lets a user have twenty connections, and there may be a console and a reload
const AGAIN_MS = 20_000;
const LEAVE_MS = 3_000; // who scrolls past and back does not come in anew
const TYPED_MS = 300;

export function show(page) {
  const lines = new Lines(page);
  lines.begin();
  return () => lines.end();
}

class Lines {
  #page;
  #list;
  #told;
  #more;
  #name = "";
  #cursor = null;
  #turn = 0;
  #timer = 0;
  #typed = 0;
  #cards = new Map(); // by shop
  #eye = new IntersectionObserver((seen) => this.#look(seen), { rootMargin: "80px" });

  constructor(page) {
    this.#page = page;
  }

  begin() {
    const { t, admin, place } = this.#page;
    this.#list = el("ul", { className: "shops" });
    this.#told = el("p", { className: "soft small", role: "status" });
    this.#more = button(t("more"), () => this.#read(), "", { hidden: true });
    place.append(...(admin ? [this.#search()] : []), this.#told, this.#list, el("div", { className: "row" }, this.#more));
    this.#read();
    if (admin) this.#timer = setInterval(() => this.#refresh(), AGAIN_MS);
  }

  end() {
    this.#turn++;
    clearInterval(this.#timer);
    clearTimeout(this.#typed);
    this.#eye.disconnect();
    this.#empty(); // a card that was scrolled away has a timer still, which would share rooms out among these
  }

  #search() {
    const { t } = this.#page;
    const input = el("input", { id: "shop-name", type: "search", autocomplete: "off", maxLength: 80, oninput: () => {
      clearTimeout(this.#typed);
      this.#typed = setTimeout(() => this.#find(input.value.trim()), TYPED_MS);
    } });
    return el("form", { className: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
      el("p", { className: "field" }, el("label", { htmlFor: "shop-name", textContent: t("byName") }), input));
  }

  #find(name) {
    this.#name = name;
    this.#cursor = null;
    this.#read();
  }

  async #shops(query) {
    if (this.#page.admin) return this.#page.shops.page({ ...(this.#name && { name: this.#name }), ...query });
    return { data: await this.#page.shops.own(), meta: {} };
  }

  async #read() {
    const { t } = this.#page;
    const turn = ++this.#turn;
    const first = this.#cursor === null;
    try {
      const { data, meta } = await this.#shops({ limit: AT_ONCE, ...(first ? {} : { cursor: this.#cursor }) });
      if (turn !== this.#turn) return;
      if (first) this.#empty();
      data.forEach((shop) => this.#put(shop));
      this.#cursor = meta.nextCursor ?? null;
      this.#more.hidden = this.#cursor === null;
      put(this.#told, data.length || !first ? t("shopsShown", { count: this.#cards.size }) : t("nothingFound"));
    } catch {
      if (turn === this.#turn) put(this.#told, t("noAnswer"));
    }
  }

  // Of those that are shown; new shops wait for whoever looks again.
  async #refresh() {
    if (document.visibilityState === "hidden") return;
    const turn = this.#turn;
    const found = await this.#shops({ limit: Math.min(200, Math.max(1, this.#cards.size)) }).catch(() => null);
    if (found && turn === this.#turn) for (const shop of found.data) this.#cards.get(shop.shopId)?.tell(shop);
  }

  #empty() {
    for (const card of this.#cards.values()) card.leave();
    this.#cards.clear();
    this.#list.replaceChildren();
  }

  #put(shop) {
    if (this.#cards.has(shop.shopId)) return this.#cards.get(shop.shopId).tell(shop);
    const card = new Card(this.#page, shop);
    this.#cards.set(shop.shopId, card);
    this.#list.append(card.node);
    this.#eye.observe(card.node);
  }

  #look(seen) {
    for (const { target, isIntersecting } of seen) {
      const card = this.#cards.get(target.dataset.shop);
      if (!card) continue;
      card.inView = isIntersecting;
      if (!isIntersecting) setTimeout(() => this.#leave(card), LEAVE_MS);
    }
    this.#share();
  }

  #leave(card) {
    if (card.inView) return;
    card.leave();
    this.#share();
  }

  // The first of those in view; when there is no room, one that is out of view makes some.
  #share() {
    const cards = [...this.#cards.values()];
    const wanted = cards.filter(({ inView, refused }) => inView && !refused).slice(0, MOST_WATCHED);
    const spare = cards.filter((card) => card.watched && !wanted.includes(card));
    for (const card of wanted.filter(({ watched }) => !watched)) {
      if (cards.filter(({ watched }) => watched).length >= MOST_WATCHED) spare.pop().leave();
      card.watch();
    }
  }
}

/** One shop: its lines as its screen shows them, or the figures of the list. */
class Card {
  inView = false;
  refused = false;
  #page;
  #shopId;
  #stop = null;
  #fresh;
  #age;
  #totals;
  #lines;

  constructor(page, shop) {
    const { t } = page;
    this.#page = page;
    this.#shopId = shop.shopId;
    const id = `shop-${shop.shopId}`;
    this.#fresh = el("bp-fresh", { hidden: true });
    this.#age = el("span", { className: "soft small" });
    this.#totals = el("p", { className: "totals" });
    this.#lines = el("tbody", { role: "rowgroup" });
    this.node = el("li", { className: "card shop", data: { shop: shop.shopId } },
      el("h2", { id, textContent: shop.name }), el("p", { className: "age" }, this.#fresh, this.#age), this.#totals,
      el("table", { className: "lines", "aria-labelledby": id }, el("thead", {}, el("tr", {},
        ...["barber", "state", "serving", "next", "waits", "wait"].map((head) => el("th", { scope: "col", textContent: t(`line_${head}`) })))), this.#lines),
      el("p", { className: "row small" },
        link(t("figures"), "figures", { shop: shop.shopId }), link(t("bookings"), "bookings", { shopId: shop.shopId }),
        el("a", { href: `/display/${shop.shopId}`, textContent: t("screen"), target: "_blank", rel: "noopener" })));
    this.#lines.parentElement.hidden = true;
    this.tell(shop);
  }

  get watched() {
    return this.#stop !== null;
  }

  watch() {
    const { shop, t } = this.#page;
    const room = `display:${this.#shopId}`;
    const ended = ({ detail }) => {
      if (detail.room !== room || !detail.ended) return;
      this.refused = true;
      this.leave();
      put(this.#age, t("notShown"));
    };
    shop.addEventListener("error", ended);
    const stop = shop.watch(room, (state) => this.#show(state));
    this.#stop = () => {
      shop.removeEventListener("error", ended);
      stop();
    };
    this.#fresh.hidden = false;
    this.#age.hidden = true;
    this.#fresh.watch(shop, room);
  }

  leave() {
    if (!this.watched) return;
    this.#stop();
    this.#stop = null;
    this.#fresh.hidden = true;
    this.#age.hidden = false;
    put(this.#age, this.#page.t("asOf", { time: clock(Date.now()) }));
  }

  /** What the list says of the shop; what it shows itself is newer. */
  tell({ waiting, serving, openQueues }) {
    if (this.watched || waiting === undefined) return;
    this.#total(openQueues, serving, waiting);
    put(this.#age, this.#page.t("asOf", { time: clock(Date.now()) }));
  }

  #total(open, serving, waiting) {
    put(this.#totals, this.#page.t("lineTotals", { open: number(open), serving: number(serving), waiting: number(waiting) }));
  }

  #show({ queues }) {
    const count = (what) => queues.reduce((sum, queue) => sum + what(queue), 0);
    this.#total(count(({ status }) => Number(status === "open")), count(({ serving }) => Number(serving !== null)),
      count(({ waitingCount, next }) => waitingCount + Number(next !== null)));
    this.#lines.parentElement.hidden = false;
    queues.forEach((queue, at) => this.#line(this.#lines.rows[at] ?? this.#newLine(), queue));
    while (this.#lines.rows.length > queues.length) this.#lines.deleteRow(-1);
  }

  #newLine() {
    const row = el("tr", {}, el("th", { scope: "row" }), ...["state", "serving", "next", "waits", "wait"].map((name) =>
      el("td", { className: name }, name === "wait" ? el("bp-wait") : null)));
    this.#lines.append(row);
    return row;
  }

  #line(row, { barberName, status, serving, next, waitingCount, estimatedWait }) {
    const [barber, state, now, soon, waits, wait] = row.cells;
    put(barber, barberName);
    put(state, this.#page.t(status));
    state.dataset.status = status;
    put(now, serving ? String(serving.tokenNumber) : "–");
    put(soon, next ? String(next.tokenNumber) : "–");
    put(waits, number(waitingCount));
    wait.firstElementChild.wait = status === "open" ? estimatedWait : null;
  }
}
