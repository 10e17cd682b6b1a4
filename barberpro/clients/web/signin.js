// Signing in: by an address or a number and a password, or by a code that is sent to a number.

import { button, el, field } from "./dom.js";
import { newId } from "./barberpro-commands.js";
import { ask, Refusal } from "./rest.js";
import { Session } from "./session.js";
import { texts, preferred } from "./texts.js";

const AGAIN_MS = 2_000;

/**
 * Whoever is signed in; where nobody is, whoever signs in now.
 * @param {HTMLElement} place where the form goes; emptied in the end
 * @param {{userType?: "customer" | "barber"}} options what a number that has no account becomes
 * @returns {Promise<Session>}
 */
export async function signedIn(place, { userType = "customer" } = {}) {
  const t = await texts("signin", preferred());
  const kept = await keptSession(place, t);
  if (kept) return kept;
  return new Promise((resolve) => {
    const form = new SignIn(t, userType, (session) => {
      place.replaceChildren();
      resolve(session);
    });
    place.replaceChildren(form.node);
    form.begin();
  });
}

// While the server cannot be reached nobody knows whether somebody is signed in.
async function keptSession(place, t) {
  for (;;) {
    try {
      return await Session.kept();
    } catch {
      place.replaceChildren(el("p", { className: "card", role: "status", textContent: t("unreachable") }));
      await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
    }
  }
}

class SignIn {
  #t;
  #userType;
  #done;
  #challenge = null;
  #busy = false;

  constructor(t, userType, done) {
    this.#t = t;
    this.#userType = userType;
    this.#done = done;
    this.who = field(t("who"), {
      name: "username", autocomplete: "username", inputMode: "email", required: true, maxLength: 320,
    }, t("whoHint"));
    this.password = field(t("password"), {
      name: "password", type: "password", autocomplete: "current-password", maxLength: 128,
    });
    this.code = field(t("code"), { name: "code", autocomplete: "one-time-code", inputMode: "numeric", maxLength: 6 });
    this.problem = el("p", { className: "problem", role: "alert" });
    this.node = el("form", { className: "card stack signin", noValidate: true, onsubmit: (event) => this.#submit(event) });
    this.#show();
  }

  /** Puts in what the address gives (#email=...&password=...): the demo's, whose account is for everybody. */
  begin() {
    const given = new URLSearchParams(location.hash.slice(1));
    if (given.has("email")) {
      this.who.input.value = given.get("email");
      this.password.input.value = given.get("password") ?? "";
      history.replaceState(null, "", location.pathname + location.search);
      this.submit.focus();
    } else {
      this.who.input.focus();
    }
  }

  #show() {
    const t = this.#t;
    const waits = this.#challenge !== null;
    this.submit = el("button", { type: "submit", className: "button main wide", textContent: t("signIn") });
    const more = waits
      ? [button(t("sendAgain"), () => this.#try(() => this.#again())), button(t("otherWay"), () => this.#back())]
      : [button(t("sendCode"), () => this.#try(() => this.#sendCode()))];
    this.node.replaceChildren(
      el("h1", { textContent: t("title") }),
      ...(waits ? [el("p", { textContent: t("codeSent") }), this.code.row] : [this.who.row, this.password.row]),
      this.problem, this.submit, el("div", { className: "row" }, ...more),
    );
  }

  #submit(event) {
    event.preventDefault();
    this.#try(() => (this.#challenge ? this.#byCode() : this.#byPassword()));
  }

  async #byPassword() {
    const body = { ...this.#contact(), password: this.password.input.value };
    this.#done(new Session(await ask("/auth/login", { body, key: newId() })));
  }

  async #sendCode() {
    const body = { ...this.#contact(), userType: this.#userType, language: this.#t.language };
    if (body.email) return this.who.complain(this.#t("codeNeedsNumber"));
    this.#challenge = await ask("/auth/register", { body, key: newId() });
    this.#show();
    this.code.input.focus();
  }

  async #again() {
    this.#challenge = await ask("/auth/resend-otp", { body: { challengeId: this.#challenge.challengeId } });
    this.code.input.focus();
  }

  async #byCode() {
    const body = { challengeId: this.#challenge.challengeId, code: this.code.input.value.trim() };
    this.#done(new Session(await ask("/auth/verify-otp", { body })));
  }

  #back() {
    this.#challenge = null;
    this.#clear();
    this.#show();
    this.who.input.focus();
  }

  #contact() {
    const who = this.who.input.value.trim();
    return who.includes("@") ? { email: who } : { phone: who };
  }

  async #try(work) {
    if (this.#busy) return;
    this.#busy = true;
    this.#clear();
    this.submit.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (problem) {
      this.#complain(problem);
    } finally {
      this.#busy = false;
      this.submit.removeAttribute("aria-busy");
    }
  }

  #clear() {
    for (const each of [this.who, this.password, this.code]) each.complain("");
    this.problem.textContent = "";
  }

  #complain(problem) {
    const t = this.#t;
    if (!(problem instanceof Refusal)) {
      this.problem.textContent = t("noAnswer");
      return;
    }
    const named = { email: this.who, phone: this.who, password: this.password, code: this.code };
    const known = problem.fields.filter(({ path }) => path in named);
    for (const { path } of known) named[path].complain(t(`bad_${path}`));
    if (known.length) return named[known[0].path].input.focus();
    const minutes = Math.max(1, Math.ceil(problem.retryAfter / 60));
    const said = { UNAUTHORIZED: "wrong", RATE_LIMIT_EXCEEDED: "tooMany", NOT_FOUND: "codeOver" }[problem.code];
    this.problem.textContent = said ? t(said, { minutes }) : problem.message;
  }
}
