// Sockets of the official client, at the word of a test. Each line on stdin is a JSON object {id, do, socket, ...}, and is
// answered with {id, answer} or {id, problem}; what a socket hears comes as {socket, event, data}. It ends with its stdin.
"use strict";

const { createInterface } = require("node:readline");
const { io } = require("socket.io-client");

const ACK_MS = 20_000;
const sockets = new Map();
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
// What JSON has no word for comes as {"$bytes": "<base64>"}.
const revive = (_key, value) => (typeof value?.$bytes === "string" ? Buffer.from(value.$bytes, "base64") : value);

const does = {
  open({ socket, url, options }) {
    const opened = io(url, { forceNew: true, ...options });
    const tell = (event, data = null) => say({ socket, event, data });
    opened.on("connect", () => tell("connect", opened.io.engine.transport.name));
    opened.on("connect_error", (error) => tell("connect_error", { message: error.message, data: error.data ?? null }));
    opened.on("disconnect", (reason) => tell("disconnect", reason));
    opened.onAny(tell);
    opened.io.on("open", () => opened.io.engine.once("upgrade", (transport) => tell("upgrade", transport.name)));
    sockets.set(socket, opened);
  },
  ask: ({ socket, event, args }) => sockets.get(socket).timeout(ACK_MS).emitWithAck(event, ...args),
  tell({ socket, event, args }) {
    sockets.get(socket).emit(event, ...args);
  },
  close({ socket }) {
    sockets.get(socket).disconnect();
  },
};

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { id, do: what, ...fields } = JSON.parse(line, revive);
    try {
      say({ id, answer: (await does[what](fields)) ?? null });
    } catch (error) {
      say({ id, problem: String(error) });
    }
  })
  .on("close", () => process.exit());
