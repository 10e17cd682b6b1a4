// A shop's rooms and commands for pages and apps, over the WebSocket door. No dependency; docs/client-javascript.md.

import { CommandError, Commands, storageOf } from "./barberpro-commands.js";
import { Room } from "./barberpro-room.js";

export { CommandError };

const ANSWER_MS = 8_000; // for a token, for coming in, for an answer
const EARLIEST_RENEWAL_MS = 1_000;

/**
 * Events: "status" (detail: the new status), "answer" (detail: {command, result} or {command, error}; also for commands
 * of an earlier load of the page), "error" (detail: {room, code, message, ended}: a room that is refused).
 */
export class BarberPro extends EventTarget {
  #rooms = new Map();
  #commands;
  #ask;
  #token = null;
  #status = "connecting";
  #wake = () => this.#awake();
  #calm = () => this.#tell();

  /**
   * @param {object} options
   * @param {string} [options.url] the server's, such as https://line.example
   * @param {(signal: AbortSignal) => Promise<string>} options.token asked for a token that is good now: at first, when the
   *   server takes the last one no more, and shortly before that ends. It must be the same user's; for another, make
   *   another client
   * @param {Storage | null} [options.storage] keeps commands until they are answered
   * @param {number} [options.askMs] how often the server is asked whether what is here is still true
   * @param {number} [options.patienceMs] for how long a command is asked again
   */
  constructor({ url = location.origin, token, storage = storageOf("localStorage"), askMs = 5_000, patienceMs = 600_000 }) {
    super();
    this.url = url.replace(/\/$/, "");
    this.askMs = askMs;
    this.#ask = token;
    this.#commands = new Commands(storage, patienceMs, {
      carrier: () => [...this.#rooms.values()].find((room) => room.live) ?? (this.#rooms.size ? null : this.#rest),
      token: () => this.token(),
      answered: (detail) => this.#emit("answer", detail),
    });
    addEventListener("online", this.#wake);
    addEventListener("offline", this.#calm);
    addEventListener("pageshow", this.#wake);
    document.addEventListener("resume", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    Promise.resolve().then(() => this.#commands.flush()); // once the page has said what it listens to
  }

  /** "connecting", "live" (every room is), "lost" (the server is away), or "offline" (this device has no network). */
  get status() {
    return this.#status;
  }

  /** Commands without an answer yet, those of an earlier load of the page among them: [{commandId, type, ...}]. */
  get pending() {
    return this.#commands.pending;
  }

  /** When the server last proved that the room's state is true, in ms since 1970; 0 for never. */
  heardAt(room) {
    return this.#rooms.get(room)?.heardAt ?? 0;
  }

  /** Whether the room's connection stands. */
  isLive(room) {
    return this.#rooms.get(room)?.live ?? false;
  }

  /**
   * Calls back with the room's state whenever there is a newer one, and at once with the one that is there.
   * @param {string} room queue:<barberId>, booking:<bookingId> or display:<shopId>
   * @returns {() => void} ends it
   */
  watch(room, callback) {
    let watched = this.#rooms.get(room);
    if (!watched) this.#rooms.set(room, (watched = new Room(this, room, this.#sink(room))));
    const stop = watched.watch(callback);
    this.#tell();
    return () => {
      stop();
      if (watched.watchers.size || this.#rooms.get(room) !== watched) return;
      this.#rooms.delete(room);
      watched.close();
      this.#tell();
    };
  }

  /**
   * Sends a command. It is kept, and asked again with the same id, until it is answered: through cuts and reloads.
   * @returns {Promise<{booking?: object, ticket?: object, queue: object, replayed: boolean}>} what became durable
   * @throws {CommandError} when it is refused
   */
  send(command) {
    return this.#commands.send(command);
  }

  /** Ends all connections. Commands that wait for an answer stay kept for the next load. */
  close() {
    removeEventListener("online", this.#wake);
    removeEventListener("offline", this.#calm);
    removeEventListener("pageshow", this.#wake);
    document.removeEventListener("resume", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    for (const room of this.#rooms.values()) room.close();
    this.#rooms.clear();
    this.#commands.close();
  }

  /** The token in use; one that does not come in time is given up, for a dead connection may never answer. */
  async token() {
    this.#token ??= within(ANSWER_MS, this.#ask).catch((problem) => {
      this.#token = null;
      throw problem;
    });
    return this.#token;
  }

  #forget(token) {
    this.#token?.then((present) => { if (present === token) this.#token = null; }, () => {});
  }

  // What a room tells. `expires` and `refused` name the token that it came in with.
  #sink(room) {
    return {
      changed: () => this.#tell(),
      live: () => this.#commands.flush(),
      lost: (link) => this.#commands.lost(link),
      answer: (frame) => this.#commands.answer(frame),
      refused: (token) => this.#forget(token),
      expires: (token) => this.#renew(token),
      error: (detail) => {
        if (detail.ended) this.#rooms.delete(room);
        this.#emit("error", { room, ...detail });
        this.#tell();
      },
    };
  }

  // Rooms tell one after the other that their token ends soon: one new token serves all of them.
  async #renew(token) {
    this.#forget(token);
    await new Promise((resolve) => { setTimeout(resolve, EARLIEST_RENEWAL_MS * Math.random()); });
    try {
      const renewed = await this.token();
      for (const room of this.#rooms.values()) room.authenticate(renewed);
    } catch {
      // The connection ends when the token does; the next one asks again.
    }
  }

  #awake() {
    if (document.visibilityState === "hidden") return;
    for (const room of this.#rooms.values()) room.wake();
    this.#commands.flush();
    this.#tell();
  }

  #tell() {
    const rooms = [...this.#rooms.values()];
    const now = navigator.onLine === false ? "offline"
      : rooms.length && rooms.every((room) => room.live) ? "live"
      : rooms.some((room) => room.failed) ? "lost"
      : "connecting";
    if (now === this.#status) return;
    this.#status = now;
    this.#emit("status", now);
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // Carries commands while no room is watched.
  #rest = {
    command: (command, token) => within(ANSWER_MS, async (signal) => {
      const response = await fetch(`${this.url}/api/v1/queue/commands`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
        body: JSON.stringify(command),
        signal,
      });
      const { success, data, error } = await response.json();
      if (response.status === 401) this.#forget(token);
      const { replayed = false, ...told } = data ?? {};
      this.#commands.answer({ commandId: command.commandId, ok: success, replayed, data: told, error });
    }).catch(() => this.#commands.lost(this.#rest)),
  };
}

/** What `work` gives; rejects, and aborts it, when that takes longer. */
export async function within(ms, work) {
  const abort = new AbortController();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      abort.abort();
      reject(new Error(`nothing within ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([work(abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
