// Signing in: by an address or a number and a password, or by a code that is sent to a number; a new password for whoever
// forgot it, and a new account. The letters' links lead to account.js.

import { AccountForm, codeField, contactOf, nameField, passwordField, whoField } from "./account-form.js";
import { newId } from "./barberpro-commands.js";
import { button, el } from "./dom.js";
import { ask } from "./rest.js";
import { Session } from "./session.js";
import { texts, preferred } from "./texts.js";

const AGAIN_MS = 2_000;

/**
 * Whoever is signed in; where nobody is, whoever signs in now.
 * @param {HTMLElement} place where the form goes; emptied in the end
 * @param {{userType?: "customer" | "barber", about?: (t: Function) => string}} options what a number that has no account
 *   becomes; what is said before
 * @returns {Promise<Session>}
 */
export async function signedIn(place, { userType = "customer", about } = {}) {
  const t = await texts("signin", preferred());
  const kept = await keptSession(place, t);
  if (kept) return kept;
  return new Promise((resolve) => {
    const form = new SignIn(t, userType, about ? [about(t)] : [], (session) => {
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
  #about;
  #done;
  #form;

  constructor(t, userType, about, done) {
    this.#t = t;
    this.#userType = userType;
    this.#about = about;
    this.#done = done;
    this.#form = new AccountForm(t);
    this.node = this.#form.node;
    this.who = whoField(t); // one for all steps: nobody writes it twice
    this.password = passwordField(t, "current");
  }

  /** Puts in what the address gives (#email=...&password=...): the demo's, whose account is for everybody. */
  begin() {
    const given = new URLSearchParams(location.hash.slice(1));
    if (given.has("email")) {
      this.who.input.value = given.get("email");
      this.password.input.value = given.get("password") ?? "";
      history.replaceState(null, "", location.pathname + location.search);
    }
    this.#byPassword();
  }

  #byPassword() {
    const t = this.#t;
    this.#form.show({
      title: t("title"), about: this.#about, fields: { ...this.#named(), password: this.password }, submit: t("signIn"),
      does: () => this.#login(this.password.input.value),
      more: [this.#does("sendCode", () => this.#sendCode()), this.#to("forgot", () => this.#forgot()), this.#to("newAccount", () => this.#register())],
    });
  }

  async #login(password) {
    const body = { ...contactOf(this.who), password };
    this.#done(new Session(await ask("/auth/login", { body, key: newId() })));
  }

  async #sendCode() {
    const contact = contactOf(this.who);
    if (contact.email) return this.who.complain(this.#t("codeNeedsNumber"));
    this.#byCode(await this.#registered(contact));
  }

  #registered(told) {
    return ask("/auth/register", { body: { ...told, userType: this.#userType, language: this.#t.language }, key: newId() });
  }

  #byCode({ challengeId }) {
    const t = this.#t;
    const code = codeField(t);
    this.#form.show({
      title: t("title"), about: [t("codeSent")], fields: { code }, submit: t("signIn"),
      does: async () => this.#done(new Session(await ask("/auth/verify-otp", { body: { challengeId, code: code.input.value.trim() } }))),
      more: [this.#again("sendAgain", challengeId, code), this.#back()],
    });
  }

  #forgot() {
    const t = this.#t;
    this.#form.show({
      title: t("forgotTitle"), about: [t("forgotHow")], fields: this.#named(), submit: t("forgotSend"),
      does: async () => {
        const begun = await ask("/auth/forgot-password", { body: contactOf(this.who), key: newId() });
        if (begun.channel === "email") this.#sent("resetSent", begun);
        else this.#reset(begun);
      },
      more: [this.#back()],
    });
  }

  #reset({ challengeId }) {
    const t = this.#t;
    const [code, password] = [codeField(t), passwordField(t, "new")];
    this.#form.show({
      title: t("resetTitle"), about: [t("codeSent")], fields: { code, password }, submit: t("resetDo"),
      does: async () => {
        const chosen = password.input.value;
        await ask("/auth/reset-password", { body: { challengeId, code: code.input.value.trim(), password: chosen } });
        await this.#login(chosen);
      },
      more: [this.#again("sendAgain", challengeId, code), this.#back()],
    });
  }

  #register() {
    const t = this.#t;
    const name = nameField(t);
    const password = passwordField(t, "new");
    this.#form.show({
      title: t("newAccount"), fields: { ...this.#named(), name, password }, submit: t("register"),
      does: async () => {
        const called = name.input.value.trim();
        const begun = await this.#registered({ ...contactOf(this.who), password: password.input.value, ...(called && { name: called }) });
        if (begun.channel === "email") this.#sent("verifySent", begun);
        else this.#byCode(begun);
      },
      more: [this.#back()],
    });
  }

  // A letter with a link is on its way, or another letter: that is not told here.
  #sent(key, { challengeId }) {
    const t = this.#t;
    this.#form.show({
      title: t("lookAtMail"), about: [t(key)], more: [this.#again("mailAgain", challengeId), this.#back()],
      refusals: { NOT_FOUND: t("mailOver") },
    });
  }

  #named() {
    return { email: this.who, phone: this.who };
  }

  #again(key, challengeId, code) {
    return this.#does(key, async () => {
      await ask("/auth/resend-otp", { body: { challengeId } });
      this.#form.say(this.#t("sentAgain"));
      code?.input.focus();
    });
  }

  #back() {
    return this.#to("otherWay", () => this.#byPassword());
  }

  #does(key, work) {
    return this.#to(key, () => this.#form.attempt(work));
  }

  #to(key, work) {
    return button(this.#t(key), work);
  }
}
