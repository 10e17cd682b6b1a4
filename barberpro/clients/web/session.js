// Who works with a page of the shop's: the access token in memory, the refresh token in a cookie that no script reads.
//
// A refresh token is good once, and one that comes twice ends the session. So the pages of a browser renew one after the
// other, and a renewal keeps its key until it was answered: asked again, it has the same answer.

import { newId } from "./barberpro-commands.js";
import { ask, file, Refusal } from "./rest.js";

const IN = "barberpro.in";             // says that somebody is signed in here; holds nothing
const RENEWAL = "barberpro.renewal";   // the key of the renewal that was not answered yet
const EARLY_MS = 30_000;
const OVER = new Set(["UNAUTHORIZED", "TOKEN_EXPIRED", "TOKEN_REVOKED"]);

/** Event "over": the session was ended, here or elsewhere, or another one has taken its place in this browser. */
export class Session extends EventTarget {
  #grant;
  #handedOut = false;
  #renewing = null;

  constructor(grant) {
    super();
    this.#take(grant);
  }

  /**
   * The session that this browser kept; null when nobody is signed in.
   * @throws whatever fetch throws when the server cannot be reached: nothing is known then
   */
  static async kept() {
    if (!stored(IN)) {
      forget(RENEWAL); // of somebody who has signed out meanwhile
      return null;
    }
    try {
      return new Session(await renewed());
    } catch (problem) {
      if (problem instanceof Refusal && OVER.has(problem.code)) return null;
      throw problem;
    }
  }

  /** {userId, userType, name, email, phone, barberId, shopIds, ...} */
  get user() {
    return this.#grant.user;
  }

  /** For BarberPro, which asks whenever the last one serves no more: so the same one never twice. */
  async token() {
    if (this.#handedOut || this.#endsSoon()) await this.#renew();
    this.#handedOut = true;
    return this.#grant.accessToken;
  }

  /** As `ask` of rest.js, as this user. */
  ask(method, path, options = {}) {
    return this.#by((token) => ask(path, { method, ...options, token }));
  }

  /** As `file` of rest.js, as this user. */
  file(path) {
    return this.#by((token) => file(path, token));
  }

  async signOut() {
    try {
      await this.ask("POST", "/auth/logout", { body: {} });
    } catch (problem) {
      if (!OVER.has(problem.code)) throw problem;
    }
    forget(IN);
    this.dispatchEvent(new Event("over"));
  }

  // A clock here that is wrong does not see that the token is over: then the server says so.
  async #by(work) {
    if (this.#endsSoon()) await this.#renew();
    try {
      return await work(this.#grant.accessToken);
    } catch (problem) {
      if (problem.code !== "TOKEN_EXPIRED") throw problem;
      await this.#renew();
      return work(this.#grant.accessToken);
    }
  }

  #take(grant) {
    this.#grant = grant;
    this.#handedOut = false;
    store(IN, "yes");
  }

  // The cookie is the browser's: whoever signed in elsewhere in it meanwhile is renewed, and not who works here.
  #goOn(grant) {
    if (grant.user.userId !== this.user.userId) {
      this.dispatchEvent(new Event("over"));
      throw new Error("somebody else has signed in");
    }
    this.#take(grant);
  }

  #endsSoon() {
    return Date.parse(this.#grant.expiresAt) - Date.now() < EARLY_MS;
  }

  #renew() {
    this.#renewing ??= renewed().then((grant) => this.#goOn(grant), (problem) => {
      if (OVER.has(problem.code)) this.dispatchEvent(new Event("over"));
      throw problem;
    }).finally(() => { this.#renewing = null; });
    return this.#renewing;
  }
}

async function renewed() {
  return inTurn(async () => {
    const key = stored(RENEWAL) ?? newId();
    store(RENEWAL, key);
    try {
      const grant = await ask("/auth/refresh", { method: "POST", key });
      forget(RENEWAL);
      return grant;
    } catch (problem) {
      if (OVER.has(problem.code)) [RENEWAL, IN].forEach(forget);
      throw problem;
    }
  });
}

// Browsers have locks over TLS and on one's own machine. Elsewhere the common key is what keeps two pages apart.
function inTurn(work) {
  return navigator.locks ? navigator.locks.request(RENEWAL, work) : work();
}

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // closed to this page: somebody signs in anew each time
  }
}

function store(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // As above.
  }
}

function forget(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // As above.
  }
}
