// One room over one WebSocket: resumed after every cut, never older than it was, and asked now and then for its truth.
//
// A network may fall silent without a word; only a question that is not answered in time tells. So the server is asked
// every few seconds whether what is here is the newest, and each answer is the proof that the freshness clock shows.

const PROTOCOL = "barberpro.v1";
const LONGEST_PAUSE_MS = 10_000;
const FIRST_PAUSE_MS = 500;
const ANSWER_MS = 8_000;
const FOR_GOOD = new Set([4400, 4403, 4404, 4413]); // closed with one of these, it is of no use to come back
const UNAUTHENTICATED = 4401;
const TOO_MANY = 4429;

/** @typedef {{changed(): void, live(): void, lost(link: Room): void, answer(frame: object): void,
 *   refused(token: string): void, expires(token: string): void, error(detail: object): void}} Sink */

export class Room {
  live = false;      // its connection stands, and the server has answered
  failed = false;    // the last attempt did not get there, or a connection was cut
  heardAt = 0;
  state = null;
  watchers = new Set();

  #shop;
  #name;
  #sink;
  #socket = null;
  #opening = 0;      // counts attempts, so that a late token or event of an earlier one is passed over
  #attempt = 0;
  #timer = 0;        // of the next attempt, or of the next question
  #patience = 0;     // of an answer that is due
  #farewellMs = null;
  #token = "";

  /**
   * @param {import("./barberpro.js").BarberPro} shop
   * @param {string} name
   * @param {Sink} sink
   */
  constructor(shop, name, sink) {
    this.#shop = shop;
    this.#name = name;
    this.#sink = sink;
    this.#open();
  }

  watch(callback) {
    const watcher = (state) => callback(state);
    this.watchers.add(watcher);
    if (this.state) watcher(this.state);
    return () => this.watchers.delete(watcher);
  }

  /** The device woke up, or has a network again: does not wait for the next attempt or question. */
  wake() {
    if (this.live) return this.#ask();
    if (this.#socket) return; // it is coming in, or given up in time
    this.#attempt = 0;
    this.#open();
  }

  close() {
    this.#opening++;
    clearTimeout(this.#timer);
    this.#calm();
    this.live = false;
    this.#socket?.close();
    this.#socket = null;
    this.watchers.clear();
    this.#sink.lost(this);
  }

  /** Sends a command; its answer, if there is one, goes to the sink. */
  command(command) {
    this.#say({ event: "command", ...command });
    this.#expectAnswer();
  }

  /** Goes on with a new token of the same user. */
  authenticate(token) {
    if (!this.live || token === this.#token) return;
    this.#token = token;
    this.#say({ event: "authenticate", token });
  }

  async #open() {
    const opening = ++this.#opening;
    clearTimeout(this.#timer);
    this.#farewellMs = null;
    try {
      const token = await this.#shop.token();
      if (opening !== this.#opening) return;
      this.#token = token;
      const socket = new WebSocket(this.#address(), [PROTOCOL, `bearer.${token}`]);
      this.#socket = socket;
      socket.onmessage = ({ data }) => { if (socket === this.#socket) this.#hear(JSON.parse(data)); };
      socket.onclose = ({ code, reason }) => this.#closed(socket, code, reason);
      this.#expectAnswer();
    } catch {
      if (opening === this.#opening) this.#again();
    }
  }

  #address() {
    const [kind, id] = this.#name.split(":");
    const since = this.state ? `?epoch=${this.state.epoch}&seq=${this.state.seq}` : "";
    return `${this.#shop.url.replace(/^http/, "ws")}/ws/${kind}/${encodeURIComponent(id)}${since}`;
  }

  #again() {
    const was = this.live;
    this.live = false;
    this.failed = true;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempt++) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#open(), this.#farewellMs ?? pause);
    if (was) this.#sink.lost(this);
    this.#sink.changed();
  }

  // Does not wait for the close event: with nobody at the other end, a browser takes a minute to give up the handshake.
  #giveUp(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#timer);
    this.#calm();
    socket.close();
    this.#again();
  }

  #closed(socket, code, message) {
    if (socket !== this.#socket) return; // it was given up before
    if (FOR_GOOD.has(code)) {
      this.close();
      return this.#sink.error({ code, message, ended: true });
    }
    if (code === UNAUTHENTICATED) {
      this.#sink.refused(this.#token);
      this.#sink.error({ code, message, ended: false });
    }
    if (code === TOO_MANY) this.#attempt = Math.max(this.#attempt, 5);
    this.#giveUp(socket);
  }

  #hear(frame) {
    const { event, ...told } = frame;
    this.#calm();
    if (event === "subscribed") this.#subscribed(told);
    else if (event.endsWith("_updated")) this.#take(told);
    else if (event === "ack") this.#sink.answer(told);
    else if (event === "session_expiring") this.#sink.expires(this.#token);
    else if (event === "server_restarting") this.#farewellMs = told.reconnectAfterMs;
    else if (event === "authenticated" && !told.ok) this.#giveUp(this.#socket);
  }

  // Its state replaces what is here, even a greater one: that is what the server never had.
  #subscribed({ state }) {
    const came = !this.live;
    this.live = true;
    this.failed = false;
    this.#attempt = 0;
    this.heardAt = Date.now();
    if (state) this.#show(state);
    if (!came) return;
    this.#askLater();
    this.#sink.live();
    this.#sink.changed();
  }

  #take(state) {
    this.heardAt = Date.now();
    const { epoch = -1, seq = -1 } = this.state ?? {};
    if (state.epoch > epoch || (state.epoch === epoch && state.seq >= seq)) this.#show(state);
  }

  #show(state) {
    this.state = state;
    for (const watcher of [...this.watchers]) watcher(state);
  }

  #askLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), this.#shop.askMs);
  }

  #ask() {
    this.#askLater();
    this.#say({ event: "subscribe", ...(this.state && { since: { epoch: this.state.epoch, seq: this.state.seq } }) });
    this.#expectAnswer();
  }

  #say(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  // Asked again meanwhile, the answer is still due when it was.
  #expectAnswer() {
    const socket = this.#socket;
    this.#patience ||= setTimeout(() => this.#giveUp(socket), ANSWER_MS);
  }

  #calm() {
    clearTimeout(this.#patience);
    this.#patience = 0;
  }
}
