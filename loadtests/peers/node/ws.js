// ws as its own documents advise for broadcasts: the text is made into bytes once, and sent to every open client.
// Usage: node ws.js PAYLOAD_FILE
"use strict";

const { readFileSync } = require("node:fs");
const { WebSocket, WebSocketServer } = require("ws");
const { onEachLine } = require("./lines");

const payload = readFileSync(process.argv[2]);
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });

server.on("connection", (socket) => socket.on("error", () => {}));
server.on("listening", () => console.log("listening", server.address().port));
onEachLine(() => {
  for (const client of server.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(payload, { binary: false });
  }
});
