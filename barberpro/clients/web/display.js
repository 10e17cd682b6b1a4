// The shop's screen: shows the newest state of display:<shopId>, and says honestly how old it is.

import { Socket } from "./socket.js";

const shopId = location.pathname.split("/")[2];
const room = `display:${shopId}`;
const CALL_SHOWN_MS = 12_000;

let shown = null;      // the state on the screen
let heardAt = 0;       // when the server last proved that it is true
let connected = false;
let lastCall = null;

const byId = (id) => document.getElementById(id);
const STATUS = { open: "Open", paused: "Paused", closed: "Closed" };

async function token() {
  const answer = await fetch(`/display/${shopId}/token`);
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return (await answer.json()).token;
}

const socket = new Socket(token, {
  ready: subscribe,
  event(name, data) { if (name === "display_updated") take(data); },
  lost() { connected = false; },
});

async function subscribe() {
  const since = shown && { epoch: shown.epoch, seq: shown.seq };
  const answer = await socket.request("subscribe", since ? { room, since } : { room });
  if (!answer.ok) return;
  connected = true;
  heardAt = Date.now();
  if (answer.state) take(answer.state);
}

function take(state) {
  connected = true;
  heardAt = Date.now();
  const newer = !shown || state.epoch > shown.epoch || (state.epoch === shown.epoch && state.seq > shown.seq);
  if (!newer) return;
  const first = !shown;
  shown = state;
  render();
  announce(first);
}

function announce(first) {
  const call = shown.calls.at(-1);
  if (!call || call.callId === lastCall) return;
  lastCall = call.callId;
  if (first) return; // what was called before this screen looked is no news
  byId("call").textContent = `Token ${call.tokenNumber}, please come to ${call.barberName}`;
  setTimeout(() => { if (lastCall === call.callId) byId("call").textContent = ""; }, CALL_SHOWN_MS);
}

function render() {
  document.title = shown.shopName;
  byId("shop").textContent = shown.shopName;
  byId("queues").replaceChildren(...shown.queues.map(card));
}

function card(queue) {
  const part = byId("queue").content.cloneNode(true).firstElementChild;
  part.dataset.barberId = queue.barberId;
  part.querySelector("h2").textContent = queue.barberName;
  part.querySelector(".status").textContent = STATUS[queue.status];
  for (const place of ["serving", "next"]) {
    const box = part.querySelector(`.${place}`);
    box.classList.toggle("taken", Boolean(queue[place]));
    box.querySelector("dd").textContent = queue[place]?.tokenNumber ?? "–";
  }
  part.querySelector("ol").replaceChildren(...queue.waiting.map(({ tokenNumber, estimatedWait }) => {
    const item = document.createElement("li");
    const wait = document.createElement("small");
    wait.textContent = `${estimatedWait.p50Minutes} min`;
    item.append(tokenNumber, wait);
    return item;
  }));
  const more = queue.waitingCount - queue.waiting.length;
  const { p50Minutes, p90Minutes } = queue.estimatedWait;
  part.querySelector("footer").textContent =
    (more > 0 ? `and ${more} more. ` : "")
    + (queue.status === "open" ? `New here: ${p50Minutes} to ${p90Minutes} min` : "");
  return part;
}

setInterval(() => {
  const fresh = byId("fresh");
  const age = Math.round((Date.now() - heardAt) / 1000);
  const lost = !connected;
  fresh.dataset.state = lost ? "lost" : "live";
  fresh.textContent = lost
    ? (heardAt ? `Connection lost, last update ${age} s ago` : "Connecting")
    : `Live ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })}`;
}, 1000);
