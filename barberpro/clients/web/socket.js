// The little of Engine.IO 4 and Socket.IO 5 that a page needs: one websocket, requests with an answer, events.
// A connection that is cut is made anew, a little later each time, with jitter.

const LONGEST_PAUSE_MS = 10_000;

export class Socket {
  /**
   * @param {() => Promise<string>} token asked for at every connection
   * @param {{ready: () => void, event: (name: string, data: any) => void, lost: () => void}} on
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
    try {
      const token = await this.token();
      const scheme = location.protocol === "https:" ? "wss:" : "ws:";
      const socket = new WebSocket(`${scheme}//${location.host}/socket.io/?EIO=4&transport=websocket`);
      this.socket = socket;
      socket.onmessage = ({ data }) => this.receive(data, token);
      socket.onclose = () => this.again();
    } catch {
      this.again();
    }
  }

  again() {
    clearTimeout(this.silence);
    this.on.lost();
    const pause = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.attempt++);
    setTimeout(() => this.connect(), pause * (0.5 + Math.random() / 2));
  }

  /** The connection serves its purpose: the next cut is followed by a short pause again. */
  steady() {
    this.attempt = 0;
  }

  /** Gives this connection up and makes another, after a pause. */
  restart() {
    this.socket.close();
  }

  receive(text, token) {
    const [engine, kind, rest] = [text[0], text[1], text.slice(2)];
    if (engine === "0") {
      const { pingInterval, pingTimeout } = JSON.parse(text.slice(1));
      this.allowedSilence = pingInterval + pingTimeout;
      this.socket.send(`40${JSON.stringify({ token })}`);
    } else if (engine === "2") {
      this.socket.send("3");
    } else if (engine === "4" && kind === "0") {
      this.on.ready();
    } else if (engine === "4" && kind === "2") {
      const [name, data] = JSON.parse(rest);
      this.on.event(name, data);
    } else if (engine === "4" && kind === "3") {
      const at = rest.indexOf("[");
      this.answers.get(Number(rest.slice(0, at)))?.(JSON.parse(rest.slice(at))[0]);
    } else if (engine === "1") {
      this.socket.close();
    } else if (engine === "4" && (kind === "1" || kind === "4")) {
      this.socket.close();
    }
    // A connection that died without a word is noticed by the server's missing ping.
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket.close(), this.allowedSilence);
  }

  /** Sends a request; resolves with its answer, or never when the connection is cut before. */
  request(name, data) {
    const number = this.number++;
    return new Promise((resolve) => {
      this.answers.set(number, (answer) => { this.answers.delete(number); resolve(answer); });
      this.socket.send(`42${number}${JSON.stringify([name, data])}`);
    });
  }
}
