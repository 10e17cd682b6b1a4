// A device that stands in the shop: it shows a code, staff enter it, and from then on it has tokens. Used by displays and
// kiosks. What it proves itself with is a secret that stays on this device.

const API = "/api/v1/devices";

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

  /** The shop that it was paired with, or null. */
  get shopId() {
    return this.#kept?.shopId ?? null;
  }

  /** A token, good for about an hour. @throws {NotPaired} */
  async token(signal) {
    if (!this.#kept) throw new NotPaired("never paired");
    const told = await this.#fetchToken(this.#kept.secret, signal);
    if (told.status !== "paired") throw new NotPaired("nobody has entered its code");
    return told.token;
  }

  /**
   * Shows codes until one is entered; returns the shop's id.
   * @param {(code: string, expiresAt: Date) => void} show
   * @param {AbortSignal} signal ends it
   */
  async pair(show, signal) {
    this.forget();
    while (!signal.aborted) {
      const { code, secret, expiresAt } = await ask(API, { kind: this.#kind }, signal);
      show(code, new Date(expiresAt));
      const shopId = await this.#entered(secret, signal);
      if (shopId !== null) {
        this.#keep({ secret, shopId });
        return shopId;
      }
    }
    throw signal.reason;
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
  async #entered(secret, signal) {
    for (;;) {
      try {
        const told = await this.#fetchToken(secret, signal);
        if (told.status === "paired") return told.shopId;
        await pause(told.askAgainSeconds * 1000, signal);
      } catch (problem) {
        if (problem instanceof NotPaired) return null;
        if (signal.aborted) throw problem;
        await pause(3_000, signal);
      }
    }
  }

  async #fetchToken(secret, signal) {
    try {
      return await ask(`${API}/token`, { secret }, signal);
    } catch (problem) {
      if (problem.status === 401 || problem.status === 404) throw new NotPaired(problem.message);
      throw problem;
    }
  }
}

async function ask(path, body, signal) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const answer = await response.json();
  if (!answer.success) throw Object.assign(new Error(answer.error.message), { status: response.status });
  return answer.data;
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
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
