// Which calls of a display's state are news: each is announced once, through cuts, reloads and power cuts.
//
// The state carries the shop's last calls, so none is lost that was made while this screen was away. What was announced
// is noted on this device, when its announcement begins.

import { storageOf } from "./barberpro-commands.js";

const LONG_AGO_MS = 15 * 60_000; // called before that, nobody waits for it any more: of yesterday, most likely
const KEY = "barberpro.calls.";

export class Calls {
  #key;
  #storage;
  #known = null; // ids that are no news; null before this device has ever looked
  #noted;        // those of them whose announcement has begun

  /** @param {string} shopId @param {Storage | null} storage */
  constructor(shopId, storage = storageOf("localStorage")) {
    this.#key = KEY + shopId;
    this.#storage = storage;
    this.#noted = this.#read();
    if (this.#noted) this.#known = new Set(this.#noted);
  }

  /** The calls of the state that are to be announced now. */
  news(state) {
    const ids = state.calls.map(({ callId }) => callId);
    const fresh = this.#known === null ? []
      : state.calls.filter((call) => !this.#known.has(call.callId) && stillMeant(call, state));
    const coming = new Set(fresh.map(({ callId }) => callId));
    // No more than the state's own: the lists stay as short as that.
    this.#noted = new Set(ids.filter((id) => !coming.has(id) && (this.#noted?.has(id) || !this.#awaited(id))));
    this.#known = new Set(ids);
    this.#write();
    return fresh;
  }

  /** Its announcement begins. */
  begun(callId) {
    this.#noted.add(callId);
    this.#write();
  }

  // Queued by an earlier state, and not begun yet.
  #awaited(id) {
    return this.#known !== null && this.#known.has(id) && !this.#noted.has(id);
  }

  #read() {
    try {
      const ids = JSON.parse(this.#storage.getItem(this.#key));
      return ids && new Set(ids);
    } catch {
      return null;
    }
  }

  #write() {
    try {
      this.#storage.setItem(this.#key, JSON.stringify([...this.#noted]));
    } catch {
      // Then what is known is known for as long as the page lives.
    }
  }
}

// After a cut, above all: whoever has moved on since is not called any more.
function stillMeant({ barberId, tokenNumber, at }, { queues, serverTime }) {
  const queue = queues.find((each) => each.barberId === barberId);
  const there = [queue?.serving, queue?.next].some((entry) => entry?.tokenNumber === tokenNumber);
  return there && Date.parse(serverTime) - Date.parse(at) < LONG_AGO_MS;
}
