// "You are next": vibration, sound and a notification of the browser's, each where this phone lets the page.

import { Announcer } from "./announce.js";

const VIBRATION_MS = [300, 150, 300, 150, 600];
const ICON = new URL("icon-192.png", import.meta.url).href;

export class Alerts {
  #announcer;

  /** @param {string} language */
  constructor(language) {
    this.#announcer = new Announcer({ language });
  }

  /** Asks for what only a touch can give: leave to sound, and to notify. */
  async ask() {
    await this.#announcer.unlock();
    navigator.vibrate?.(100);
    if (globalThis.Notification?.permission === "default") await Notification.requestPermission();
  }

  /** After a reload: the leave to sound comes with the next touch, wherever it is. */
  askForSound() {
    addEventListener("pointerdown", () => this.#announcer.unlock(), { once: true });
    addEventListener("keydown", () => this.#announcer.unlock(), { once: true });
  }

  /** Whether the browser will notify. */
  get notifies() {
    return globalThis.Notification?.permission === "granted";
  }

  /**
   * @param {{title: string, words: string, tag: string}} what tag: a later one with the same takes its place
   */
  async raise({ title, words, tag }) {
    navigator.vibrate?.(VIBRATION_MS);
    this.#announcer.say(tag, title, `${title}. ${words}`);
    if (!this.notifies) return;
    const shown = { body: words, tag, renotify: true, icon: ICON, vibrate: VIBRATION_MS, data: location.href };
    try {
      // Phones take notifications from a service worker alone.
      const worker = await navigator.serviceWorker?.getRegistration();
      if (worker) await worker.showNotification(title, shown);
      else new Notification(title, shown);
    } catch {
      // The phone does not let the page after all; it has rung.
    }
  }
}
