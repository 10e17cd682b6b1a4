// The shops that somebody may look at, and the field that chooses one of them.

import { el } from "./dom.js";

const TYPED_MS = 300;
const OFFERED = 20;

let fields = 0;

/** Administrators ask for them by name, as there may be thousands; all others know theirs. */
export class Shops {
  #session;
  #known = new Map(); // by id: what /shops/{id} tells, or a promise of it

  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.#session = session;
  }

  get admin() {
    return this.#session.user.userType === "admin";
  }

  /** Of a barber who works in one or several. */
  get first() {
    return this.#session.user.shopIds[0];
  }

  /** {shopId, name, currency, timeZone, barbers, ...} */
  one(shopId) {
    if (!this.#known.has(shopId)) {
      const asked = this.#session.ask("GET", `/shops/${encodeURIComponent(shopId)}`);
      this.#known.set(shopId, asked);
      asked.catch(() => this.#known.delete(shopId));
    }
    return this.#known.get(shopId);
  }

  /** Those of a barber. */
  own() {
    return Promise.all(this.#session.user.shopIds.map((id) => this.one(id)));
  }

  /** Whether the user runs the shop; what is for its owners alone is asked for only then. */
  async runs(shopId) {
    if (this.admin) return true;
    const staff = await this.#session.ask("GET", `/shops/${shopId}/staff`);
    return staff.some(({ userId, owner }) => owner && userId === this.#session.user.userId);
  }

  /** A page of them, the newest first: {data, meta: {nextCursor}}. */
  page(query) {
    return this.#session.ask("GET", `/admin/shops?${new URLSearchParams(query)}`, { whole: true });
  }
}

/**
 * A field for a shop: {row, value()}; "" for all of them, null for what names none.
 * @param {{t: Function, shops: Shops}} page @param {string} chosen a shop's id, or ""
 * @param {{changed?: () => void, only?: boolean}} options only: where there is a single one, it is chosen
 */
export function shopField({ t, shops }, chosen, options = {}) {
  return (shops.admin ? namedField : ownField)(t, shops, chosen, options);
}

// Each is offered as "Corner Barbers (sh_...)", as several may have one name.
function namedField(t, shops, chosen, { changed, only }) {
  const id = `shop-${++fields}`;
  const list = el("datalist", { id: `${id}-list` });
  const input = el("input", { id, type: "search", placeholder: t("allShops"), autocomplete: "off", value: chosen, onchange: changed });
  input.setAttribute("list", list.id);
  const row = el("p", { className: "field" }, el("label", { htmlFor: id, textContent: t("shop") }), input, list);
  let timer = 0;
  const offer = async () => {
    if (idIn(input.value)) return;
    const name = input.value.trim();
    const found = await shops.page({ limit: OFFERED, ...(name && { name }) }).catch(() => null);
    if (found) list.replaceChildren(...found.data.map((shop) => el("option", { value: `${shop.name} (${shop.shopId})` })));
  };
  input.addEventListener("focus", offer, { once: true });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(offer, TYPED_MS);
  });
  const choose = ({ name, shopId }) => { input.value = `${name} (${shopId})`; };
  if (only && !chosen) {
    shops.page({ limit: 2 }).then(({ data: [one, another] }) => {
      if (!one || another || input.value) return;
      choose(one);
      changed?.();
    }, () => {});
  }
  if (chosen) shops.one(chosen).then((shop) => { if (input.value === chosen) choose(shop); }, () => {});
  const value = () => {
    const text = input.value.trim();
    const shopId = text ? idIn(text) : "";
    input.setAttribute("aria-invalid", String(shopId === null));
    return shopId;
  };
  return { row, value };
}

function ownField(t, shops, chosen, { changed }) {
  const id = `shop-${++fields}`;
  const select = el("select", { id, onchange: changed });
  shops.own().then((own) => select.replaceChildren(...own.map(({ shopId, name }) =>
    el("option", { value: shopId, textContent: name, selected: shopId === chosen }))), () => {});
  const row = el("p", { className: "field" }, el("label", { htmlFor: id, textContent: t("shop") }), select);
  return { row, value: () => select.value || chosen || shops.first };
}

function idIn(text) {
  return text.match(/(?:^|\()(sh_[A-Za-z0-9_-]+)\)?$/)?.[1] ?? null;
}
