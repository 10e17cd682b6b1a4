// A barber's desk: the line as the server last told it, and what was asked and is not answered yet. It never shows what it
// only hopes: the line changes when the server says so.

import { newId, storageOf } from "./barberpro-commands.js";
import { BarberPro, CommandError } from "./barberpro.js";

const SHOWN_MS = 3_000;   // for the state that an answer belongs to
const ROUNDS = 4;         // of asking again because somebody else was faster with something that does no harm

/**
 * Events: "changed" (what is shown), "refused" (detail: {command, problem}; of what an earlier load of the page asked),
 * "gone" (there is no such line).
 */
export class Desk extends EventTarget {
  state = null;
  /** All lines of the shop, as everybody sees them; null before they are known. */
  display = null;
  /** Who is asked for what: the target (a booking's id, or "line") -> the action's name. */
  asking = new Map();

  #own = new Set(); // commands of this load of the page

  /** @param {import("./session.js").Session} session */
  constructor(session, barberId) {
    super();
    this.session = session;
    this.barberId = barberId;
    this.room = `queue:${barberId}`;
    // A walk-in's name may be among what was not answered yet: it must not outlive the tab.
    this.shop = new BarberPro({ token: () => session.token(), storage: storageOf("sessionStorage") });
    this.shop.addEventListener("error", ({ detail }) => {
      if (detail.ended && detail.room === this.room) this.#emit("gone");
    });
    this.shop.addEventListener("answer", ({ detail }) => this.#answered(detail));
    for (const command of this.shop.pending) this.asking.set(targetOf(command), command.type);
    this.shop.watch(this.room, (state) => this.#take(state));
  }

  /** Everybody who can be named in the line, by booking. */
  person(bookingId) {
    const { serving, next, waiting, skipped } = this.state;
    return [serving, next, ...waiting, ...skipped].find((entry) => entry?.bookingId === bookingId) ?? null;
  }

  /** The other barbers' lines. */
  get others() {
    return (this.display?.queues ?? []).filter(({ barberId }) => barberId !== this.barberId);
  }

  /**
   * Asks for something. Nothing happens while the same target is being asked about.
   * @param {string} name the action's, for whoever shows it
   * @param {string} target a booking's id, or "line"
   * @param {(state: object) => object|null} command made of the line as it is; null when it no longer fits. It is made
   *   anew when somebody else was faster, unless it expects somebody in the chair: then that is for people to decide
   * @returns {Promise<{ok: boolean, answer?: object, command?: object, problem?: Error}>} without a problem when it was
   *   not even asked, as the same is asked already
   */
  async ask(name, target, command) {
    if (this.asking.has(target)) return { ok: false };
    this.asking.set(target, name);
    this.#emit("changed");
    try {
      return await this.#insist(command);
    } finally {
      this.asking.delete(target);
      this.#emit("changed");
    }
  }

  async #insist(make) {
    for (let round = 1; ; round++) {
      const command = make(this.state);
      if (command === null) {
        return { ok: false, command: {}, problem: new CommandError({ code: "STALE_STATE", message: "" }) };
      }
      try {
        const commandId = newId();
        this.#own.add(commandId);
        const answer = await this.shop.send({ ...command, commandId });
        await this.#shown(answer.queue);
        return { ok: true, answer, command };
      } catch (problem) {
        const faster = problem.code === "STALE_STATE" && command.expect?.seq !== undefined && round < ROUNDS;
        if (!faster) return { ok: false, command, problem };
        await this.#shown(problem.details);
      }
    }
  }

  // Until the line is shown as it was after this, a button would ask about one that is gone.
  async #shown({ barberId, epoch, seq } = {}) {
    if (barberId !== this.barberId || !this.#behind(epoch, seq)) return;
    await new Promise((resolve) => {
      const look = () => {
        if (this.#behind(epoch, seq)) return;
        done();
      };
      const done = () => {
        clearTimeout(timer);
        this.removeEventListener("changed", look);
        resolve();
      };
      const timer = setTimeout(done, SHOWN_MS);
      this.addEventListener("changed", look);
    });
  }

  #behind(epoch, seq) {
    return this.state.epoch < epoch || (this.state.epoch === epoch && this.state.seq < seq);
  }

  #take(state) {
    this.state = state;
    if (this.display === null) {
      this.display = {};
      this.shop.watch(`display:${state.shopId}`, (display) => {
        this.display = display;
        this.#emit("changed");
      });
    }
    this.#emit("changed");
  }

  // What an earlier load of this page asked for, and was answered only now.
  #answered({ command, error }) {
    if (this.#own.delete(command.commandId)) return;
    this.asking.delete(targetOf(command));
    if (error) this.#emit("refused", { command, problem: error });
    this.#emit("changed");
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function targetOf({ type, bookingId }) {
  return bookingId ?? (type === "join" ? "join" : "line");
}
