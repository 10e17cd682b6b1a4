// What whoever is in the chair pays: nothing is said to be paid unless the barber says how, for each visit anew.

import { el, field } from "./dom.js";
import { money } from "./format.js";

const METHODS = ["later", "cash", "card", "upi"];

export class Payment extends EventTarget {
  #t;
  #node;
  #currency = null;
  #of = null;     // whose it is
  #method = "later";
  #amount;
  #tip;

  /** @param {HTMLFieldSetElement} node holds #methods and #amounts. Event "changed". */
  constructor(t, node) {
    super();
    this.#t = t;
    this.#node = node;
  }

  /** For whoever is in the chair, or null for nobody; keeps what was chosen for the same visit. */
  of(entry, currency) {
    this.#node.hidden = !entry || !currency;
    if (this.#node.hidden || (this.#of === entry.bookingId && this.#currency === currency)) return;
    this.#of = entry.bookingId;
    this.#currency = currency;
    this.#method = "later";
    this.#build(entry);
  }

  /** {method, amount, tip?} as commands take it; null when nothing is paid now. */
  get value() {
    if (this.#node.hidden || this.#method === "later") return null;
    const [amount, tip] = [this.#amount, this.#tip].map(({ input }) => input.value.trim().replace(",", "."));
    return { method: this.#method, amount: amount || "0", ...(Number(tip) ? { tip } : {}) };
  }

  /** What is paid, in words; empty when nothing is. */
  get words() {
    const value = this.value;
    if (!value) return "";
    const sum = Number(value.amount) + Number(value.tip ?? 0);
    if (!Number.isFinite(sum)) return "";
    return this.#t("paid", { money: money(String(sum), this.#currency), method: this.#t(value.method) });
  }

  /** Puts what was refused where it belongs. @returns {boolean} whether anything was about the payment */
  complain({ details = {} } = {}) {
    let about = false;
    for (const [path, each] of [["payment.amount", this.#amount], ["payment.tip", this.#tip]]) {
      const why = details.fields?.find((one) => one.path === path)?.problem ?? "";
      each?.complain(why);
      if (why && !about) each.input.focus();
      about ||= Boolean(why);
    }
    return about;
  }

  #build(entry) {
    const t = this.#t;
    const price = (entry.services ?? []).reduce((sum, service) => sum + Number(service.price), 0);
    const changed = () => this.dispatchEvent(new Event("changed"));
    const asMoney = { inputMode: "decimal", autocomplete: "off", maxLength: 13, oninput: changed };
    this.#amount = field(t("amount", { currency: this.#currency }), { ...asMoney, value: price.toFixed(decimalsOf(this.#currency)) });
    this.#tip = field(t("tip", { currency: this.#currency }), asMoney);
    const amounts = this.#node.querySelector("#amounts");
    amounts.replaceChildren(this.#amount.row, this.#tip.row);
    const pick = (method) => {
      this.#method = method;
      amounts.hidden = method === "later";
      changed();
    };
    this.#node.querySelector("#methods").replaceChildren(...METHODS.map((method) => el("label", { className: "method" },
      el("input", {
        type: "radio", name: "method", value: method, checked: method === "later", onchange: () => pick(method),
      }),
      el("span", { textContent: t(method) }))));
    amounts.hidden = true;
  }
}

function decimalsOf(currency) {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
}
