// A device that stands in the shop: it shows a code, staff enter it, and from then on it has tokens. Used by displays and
// kiosks. What it proves itself with is a secret that stays on this device.

import { ask } from "./rest.js";

const PATH = "/devices";
const AGAIN_MS = 3_000;

/** The server does not (any longer) know the device: it is to be paired anew. */
export class NotPaired extends Error {}

export class Device {
  #kind;
  #key;
  #kept;

  /** @param {"display" | "kiosk"} kind */
  constructor(kind) {
    this.#kind = kind;
    this.#key = `barberpro.device.${kind}`;
    this.#kept = read(this.#key); // {secret, shopId}
  }

  /**
   * Is from now on what the address gives behind the # (device=...), which is taken off it: one that is paired already, as
   * the demo's is.
   */
  take(shopId) {
    const secret = new URLSearchParams(location.hash.slice(1)).get("device");
    if (!secret || !shopId) return;
    this.#keep({ secret, shopId });
    history.replaceState(null, "", location.pathname + location.search);
  }

  /** The shop that it was paired with, or null. */
  get shopId() {
    return this.#kept?.shopId ?? null;
  }

  /** A token, good for about an hour. @throws {NotPaired} */
  async token() {
    if (!this.#kept) throw new NotPaired("never paired");
    const told = await this.#fetchToken(this.#kept.secret);
    if (told.status !== "paired") throw new NotPaired("nobody has entered its code");
    return told.token;
  }

  /**
   * Shows codes until one is entered; returns the shop's id.
   * @param {(code: string, expiresAt: Date) => void} show
   */
  async pair(show) {
    this.forget();
    for (;;) {
      const { code, secret, expiresAt } = await ask(PATH, { body: { kind: this.#kind } });
      show(code, new Date(expiresAt));
      const shopId = await this.#entered(secret);
      if (shopId !== null) {
        this.#keep({ secret, shopId });
        return shopId;
      }
    }
  }

  forget() {
    this.#kept = null;
    write(this.#key, null);
  }

  #keep(kept) {
    this.#kept = kept;
    write(this.#key, kept);
  }

  // The shop's id once the code is entered, or null once it is too late for that.
  async #entered(secret) {
    for (;;) {
      try {
        const told = await this.#fetchToken(secret);
        if (told.status === "paired") return told.shopId;
        await pause(told.askAgainSeconds * 1000);
      } catch (problem) {
        if (problem instanceof NotPaired) return null;
        await pause(AGAIN_MS);
      }
    }
  }

  async #fetchToken(secret) {
    try {
      return await ask(`${PATH}/token`, { body: { secret } });
    } catch (problem) {
      if (problem.status === 401 || problem.status === 404) throw new NotPaired(problem.message);
      throw problem;
    }
  }
}

function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // It is paired for as long as the page lives.
  }
}
