// A card that asks for what shows who somebody is: its fields, what is wrong with them, one main button and others.

import { el, field } from "./dom.js";
import { Refusal } from "./rest.js";

export class AccountForm {
  #t;
  #fields = {};
  #busy = false;
  #refusals = {};
  #problem = el("p", { className: "problem", role: "alert" });
  #told = el("p", { className: "soft small", role: "status" });
  #submit = null;

  constructor(t) {
    this.#t = t;
    this.node = el("form", { className: "card stack signin", noValidate: true });
  }

  /**
   * @param {object} step
   * @param {string} step.title @param {string[]} [step.about] what is said before the fields
   * @param {Record<string, ReturnType<typeof field>>} [step.fields] by the names that refusals have for them
   * @param {string} [step.submit] of the main button; without one there is none
   * @param {() => Promise<void>} [step.does] what it does
   * @param {Node[]} [step.more] other buttons
   * @param {Record<string, string>} [step.refusals] what a refusal of this code means here
   */
  show({ title, about = [], fields = {}, submit = "", does, more = [], refusals = {} }) {
    this.#fields = fields;
    this.#refusals = refusals;
    this.#submit = submit ? el("button", { type: "submit", className: "button main wide", textContent: submit }) : null;
    this.node.onsubmit = (event) => {
      event.preventDefault();
      if (does) this.attempt(does);
    };
    const heading = el("h1", { textContent: title, tabIndex: -1 });
    this.node.replaceChildren(heading, ...about.map((textContent) => el("p", { textContent })),
      ...new Set(Object.values(fields).map(({ row }) => row)), this.#problem, this.#told,
      ...(this.#submit ? [this.#submit] : []), ...(more.length ? [el("div", { className: "row" }, ...more)] : []));
    this.#clear();
    (Object.values(fields).find(({ input }) => !input.value)?.input ?? this.#submit ?? heading).focus();
  }

  /** Does it unless something is being done, and says what is wrong. */
  async attempt(work) {
    if (this.#busy) return;
    this.#busy = true;
    this.#clear();
    this.#submit?.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (problem) {
      this.complain(problem);
    } finally {
      this.#busy = false;
      this.#submit?.removeAttribute("aria-busy");
    }
  }

  /** What has been done, where nothing else shows it. */
  say(words) {
    this.#told.textContent = words;
  }

  complain(problem) {
    const t = this.#t;
    if (!(problem instanceof Refusal)) {
      this.#problem.textContent = t("noAnswer");
      return;
    }
    const known = problem.fields.filter(({ path }) => path in this.#fields);
    for (const { path } of known) this.#fields[path].complain(t(`bad_${path}`));
    if (known.length) return this.#fields[known[0].path].input.focus();
    const minutes = Math.max(1, Math.ceil(problem.retryAfter / 60));
    const over = problem.fields.some(({ path }) => path === "token");
    const said = over ? "linkOver" : { UNAUTHORIZED: "wrong", RATE_LIMIT_EXCEEDED: "tooMany", NOT_FOUND: "codeOver" }[problem.code];
    this.#problem.textContent = this.#refusals[problem.code] ?? (said ? t(said, { minutes }) : problem.temporary ? t("noAnswer") : problem.message);
  }

  #clear() {
    for (const each of Object.values(this.#fields)) each.complain("");
    this.#problem.textContent = "";
    this.say("");
  }
}

/** The field for an address or a number. */
export function whoField(t) {
  return field(t("who"), { name: "username", autocomplete: "username", inputMode: "email", dir: "auto", required: true, maxLength: 320 }, t("whoHint"));
}

/** The field for a password. kind: "current", or "new" for one that is being chosen. */
export function passwordField(t, kind) {
  const fresh = kind === "new";
  return field(t(fresh ? "newPassword" : "password"), { name: "password", type: "password", autocomplete: `${kind}-password`, maxLength: 128 },
    fresh ? t("passwordHint") : "");
}

/** The field for what somebody is called. */
export function nameField(t) {
  return field(t("name"), { name: "name", autocomplete: "name", maxLength: 80 });
}

/** The field for the six digits of an SMS. */
export function codeField(t) {
  return field(t("code"), { name: "code", autocomplete: "one-time-code", inputMode: "numeric", maxLength: 6 });
}

/** What somebody wrote, as the server takes it: {email} or {phone}. */
export function contactOf({ input }) {
  const who = input.value.trim();
  return who.includes("@") ? { email: who } : { phone: who };
}
