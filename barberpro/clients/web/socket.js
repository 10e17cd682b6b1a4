// The little of Engine.IO 4 and Socket.IO 5 that a page needs: one websocket, requests with an answer, events.
// A connection that is cut is made anew, a little later each time, with jitter; after a server's farewell, when it said.
//
// A network may fall silent without a word. Only a request that is not answered in time tells: so a page asks something
// now and then.

const LONGEST_PAUSE_MS = 10_000;
const ANSWER_MS = 4_000; // for an answer, and for coming in

export class Socket {
  /**
   * @param {(signal: AbortSignal) => Promise<string>} token asked for at every connection, for as long as the signal says
   * @param {{ready: () => void, event: (name: string, data: any) => void, lost: () => void, refused: () => void}} on
   *   refused: the server does not take the token; it is asked for again
   */
  constructor(token, on) {
    this.token = token;
    this.on = on;
    this.attempt = 0;
    this.connect();
  }

  async connect() {
    this.answers = new Map();
    this.number = 0;
    this.farewellMs = null;
    try {
      const token = await this.token(AbortSignal.timeout(ANSWER_MS));
      const scheme = location.protocol === "https:" ? "wss:" : "ws:";
      const socket = new WebSocket(`${scheme}//${location.host}/socket.io/?EIO=4&transport=websocket`);
      this.socket = socket;
      socket.onmessage = ({ data }) => { if (socket === this.socket) this.receive(data, token); };
      socket.onclose = () => this.giveUp(socket);
      this.giveUpLater(socket);
    } catch {
      this.again();
    }
  }

  again() {
    this.on.lost();
    const pause = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.attempt++) * (0.5 + Math.random() / 2);
    setTimeout(() => this.connect(), this.farewellMs ?? pause);
  }

  giveUpLater(socket) {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.giveUp(socket), ANSWER_MS);
  }

  // Does not wait for the close event: with nobody at the other end, a browser takes a minute to give up the handshake.
  giveUp(socket) {
    if (socket !== this.socket) return; // it was given up before
    this.socket = null;
    clearTimeout(this.patience);
    socket.close();
    this.again();
  }

  /** The connection serves its purpose: the next cut is followed by a short pause again. */
  steady() {
    this.attempt = 0;
  }

  /** Gives this connection up and makes another, after a pause. */
  restart() {
    this.giveUp(this.socket);
  }

  receive(text, token) {
    const [engine, kind, rest] = [text[0], text[1], text.slice(2)];
    if (engine === "0") {
      this.socket.send(`40${JSON.stringify({ token })}`);
    } else if (engine === "2") {
      this.socket.send("3");
    } else if (engine === "4" && kind === "0") {
      clearTimeout(this.patience);
      this.on.ready();
    } else if (engine === "4" && kind === "2") {
      const [name, data] = JSON.parse(rest);
      if (name === "server_restarting") this.farewellMs = data.reconnectAfterMs;
      this.on.event(name, data);
    } else if (engine === "4" && kind === "3") {
      const at = rest.indexOf("[");
      this.answers.get(Number(rest.slice(0, at)))?.(JSON.parse(rest.slice(at))[0]);
    } else if (engine === "1" || (engine === "4" && (kind === "1" || kind === "4"))) {
      if (kind === "4") this.on.refused();
      this.restart();
    }
  }

  /**
   * Sends a request, one at a time; resolves with its answer, or never when the connection is cut before. One that is
   * not answered in time is given up with its connection.
   */
  request(name, data) {
    const number = this.number++;
    this.giveUpLater(this.socket);
    return new Promise((resolve) => {
      this.answers.set(number, (answer) => {
        clearTimeout(this.patience);
        this.answers.delete(number);
        resolve(answer);
      });
      this.socket.send(`42${number}${JSON.stringify([name, data])}`);
    });
  }
}
