// Socket.IO as shipped: io.to(room).emit(event, payload).
// Usage: node socketio.js PAYLOAD_FILE
"use strict";

const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { Server } = require("socket.io");
const { onEachLine } = require("./lines");

const payload = JSON.parse(readFileSync(process.argv[2], "utf8"));
const http = createServer();
const io = new Server(http);

io.on("connection", (socket) => socket.join("room"));
http.listen(0, "127.0.0.1", () => console.log("listening", http.address().port));
onEachLine(() => io.to("room").emit("queue_updated", payload));
