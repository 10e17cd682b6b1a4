// Elements that several pages have. They speak the page's language (texts.js).

import { clock, waitRange } from "./format.js";
import { say } from "./texts.js";

const TICK_MS = 1_000;
const STALE_MS = 20_000; // beyond this age nothing is called live, whatever the connection says

/**
 * <bp-fresh>: how old what the page shows is. Says it honestly each second, and tells a screen reader changes only.
 * data-state: connecting, live, lost or offline.
 */
export class Fresh extends HTMLElement {
  #shop = null;
  #room = "";
  #timer = 0;
  #now = document.createElement("span");
  #told = document.createElement("span");
  #tick = () => this.#show();

  /** @param {import("./barberpro.js").BarberPro} shop @param {string} room */
  watch(shop, room) {
    this.#shop?.removeEventListener("status", this.#tick);
    this.#shop = shop;
    this.#room = room;
    shop.addEventListener("status", this.#tick);
    this.#show();
  }

  connectedCallback() {
    this.#now.setAttribute("aria-hidden", "true");
    this.#told.className = "unseen";
    this.#told.setAttribute("role", "status");
    this.replaceChildren(this.#now, this.#told);
    this.#timer = setInterval(this.#tick, TICK_MS);
    this.#show();
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    this.#shop?.removeEventListener("status", this.#tick);
  }

  #state(age) {
    if (this.#shop === null) return "connecting";
    if (this.#shop.status === "offline") return "offline";
    if (this.#shop.isLive(this.#room) && age < STALE_MS) return "live";
    return this.#shop.heardAt(this.#room) || this.#shop.status === "lost" ? "lost" : "connecting";
  }

  #show() {
    const heardAt = this.#shop?.heardAt(this.#room) ?? 0;
    const age = Date.now() - heardAt;
    const state = this.#state(age);
    const seconds = Math.max(0, Math.round(age / 1000));
    const aged = seconds < 120 ? say("lastUpdateSeconds", { seconds })
      : say("lastUpdateMinutes", { minutes: Math.round(seconds / 60) });
    const about = { live: say("live"), lost: say("lost"), offline: say("offline"), connecting: say("connecting") }[state];
    const text = state === "live" ? `${about} ${clock(Date.now())}` : heardAt && state !== "connecting" ? say("aged", { about, aged }) : about;
    if (this.#now.textContent !== text) this.#now.textContent = text;
    if (this.#told.textContent !== about) this.#told.textContent = about;
    if (this.dataset.state !== state) this.dataset.state = state;
  }
}

/** <bp-wait>: a wait, as "10–20 min". Set `wait` to {p50Minutes, p90Minutes}, or null for none. */
export class Wait extends HTMLElement {
  #wait = null;

  get wait() {
    return this.#wait;
  }

  set wait(wait) {
    this.#wait = wait ?? null;
    const text = !wait ? "" : wait.p90Minutes < 1 ? say("noWait") : waitRange(wait);
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("bp-fresh", Fresh);
customElements.define("bp-wait", Wait);
