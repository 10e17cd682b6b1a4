// Commands, kept with their ids until they are answered: one that was sent and not answered is asked again with the same
// id, after a cut and after a reload of the page, and happens once.

const PREFIX = "barberpro.command.";
const AGAIN_MS = 1_000;
const AGAIN_AT_MOST_MS = 10_000;

/** A refusal, as the server told it. temporary: the same again, a little later, may be taken. */
export class CommandError extends Error {
  constructor({ code, message, temporary = false, details = {} }) {
    super(message);
    this.name = "CommandError";
    this.code = code;
    this.temporary = temporary;
    this.details = details;
  }
}

/** As crypto.randomUUID, which a page that did not come over TLS does not have. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Whose token it is: a command is its sender's, and nobody else may ask it again. Not verified; the server does that.
function userOf(token) {
  try {
    const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(atob(part)).sub ?? "";
  } catch {
    return "";
  }
}

/**
 * The browser's storage of this name; null where it is closed to the page, which keeps nothing then.
 * @param {"localStorage" | "sessionStorage"} name
 * @returns {Storage | null}
 */
export function storageOf(name) {
  try {
    return globalThis[name];
  } catch {
    return null;
  }
}

export class Commands {
  #kept = new Map(); // by id: {command, at, user, carrier, attempt, resolve, reject}
  #storage;
  #patienceMs;
  #shop;
  #timers = new Set();
  #closed = false;

  /**
   * @param {Storage | null} storage
   * @param {number} patienceMs
   * @param {{carrier(): object|null, token(): Promise<string>, answered(detail: object): void}} shop
   *   carrier: what a command can be sent over now
   */
  constructor(storage, patienceMs, shop) {
    this.#storage = storage;
    this.#patienceMs = patienceMs;
    this.#shop = shop;
    this.#read();
  }

  get pending() {
    return [...this.#kept.values()].map(({ command }) => command);
  }

  send({ ...command }) {
    command.commandId ??= newId();
    return new Promise((resolve, reject) => {
      this.#keep({ command, at: Date.now(), user: null, carrier: null, attempt: 0, resolve, reject });
      this.flush();
    });
  }

  /** Sends whatever is not under way. */
  async flush() {
    if (!this.#kept.size || this.#closed) return;
    this.#giveUpOld();
    const token = await this.#shop.token().catch(() => null);
    const carrier = this.#shop.carrier();
    if (token === null || this.#closed) return this.#later(AGAIN_MS);
    if (carrier === null) return; // the next connection flushes
    const user = userOf(token);
    for (const kept of this.#kept.values()) {
      if (kept.carrier !== null || (kept.user ?? user) !== user) continue;
      kept.carrier = carrier;
      if (kept.user === null) this.#keep(Object.assign(kept, { user }));
      carrier.command(kept.command, token);
    }
  }

  /** What was sent over it may or may not have happened: it is asked again. */
  lost(carrier) {
    let any = false;
    for (const kept of this.#kept.values()) {
      if (kept.carrier !== carrier) continue;
      kept.carrier = null;
      any = true;
    }
    if (any) this.#later(AGAIN_MS);
  }

  answer({ commandId, ok, replayed, data, error }) {
    const kept = this.#kept.get(commandId);
    if (!kept) return;
    if (ok) {
      const result = { ...data, replayed };
      return this.#settle(kept, { result }, () => kept.resolve?.(result));
    }
    const again = (error.temporary && error.code !== "RATE_LIMIT_EXCEEDED") || error.code === "TOKEN_EXPIRED";
    if (!again) return this.#refuse(kept, new CommandError(error));
    kept.carrier = null;
    this.#later(Math.min(AGAIN_AT_MOST_MS, AGAIN_MS * 2 ** kept.attempt++));
  }

  close() {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const error = new CommandError({ code: "CLOSED", message: "The client was closed.", temporary: true });
    for (const { reject } of this.#kept.values()) reject?.(error);
  }

  #refuse(kept, error) {
    this.#settle(kept, { error }, () => kept.reject?.(error));
  }

  #settle(kept, outcome, tell) {
    this.#kept.delete(kept.command.commandId);
    try {
      this.#storage.removeItem(PREFIX + kept.command.commandId);
    } catch {
      // A storage that is closed to this page keeps nothing either.
    }
    tell();
    this.#shop.answered({ command: kept.command, ...outcome });
  }

  #giveUpOld() {
    const message = "No answer came in time: whether it happened is not known.";
    for (const kept of [...this.#kept.values()]) {
      if (Date.now() - kept.at < this.#patienceMs) continue;
      this.#refuse(kept, new CommandError({ code: "UNANSWERED", message, temporary: true }));
    }
  }

  #later(ms) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.flush();
    }, ms * (0.5 + Math.random() / 2));
    this.#timers.add(timer);
  }

  #keep(kept) {
    const { command, at, user } = kept;
    this.#kept.set(command.commandId, kept);
    try {
      this.#storage.setItem(PREFIX + command.commandId, JSON.stringify({ command, at, user }));
    } catch {
      // Full, or closed to this page: the command lives as long as the page then.
    }
  }

  #read() {
    try {
      const keys = Object.keys(this.#storage).filter((key) => key.startsWith(PREFIX));
      for (const key of keys) {
        const { command, at, user } = JSON.parse(this.#storage.getItem(key));
        this.#kept.set(command.commandId, { command, at, user, carrier: null, attempt: 0 });
      }
    } catch {
      // The same.
    }
  }
}
