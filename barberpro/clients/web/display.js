// The shop's screen: shows the newest state of display:<shopId>, and says honestly how old it is.

import { Socket } from "./socket.js";

const shopId = location.pathname.split("/")[2];
const room = `display:${shopId}`;
const CALLS_SHOWN = 3;
const CALL_SHOWN_MS = 12_000;
const ASK_MS = 3_000; // how often the server is asked whether what is here is still true

let shown = null;      // the state on the screen
let heardAt = 0;       // when the server last proved that it is true
let connected = false;
let known = null;      // ids of the calls that are no news any more
let asking = 0;        // the timer of the next question
let pass = null;       // the token, for as long as it is good

const byId = (id) => document.getElementById(id);
const STATUS = { open: "Open", paused: "Paused", closed: "Closed" };

// After a silent cut a fetch may be sent over a connection that is dead as well; a websocket always has a new one.
async function token(signal) {
  if (pass) return pass;
  const answer = await fetch(`/display/${shopId}/token`, { signal });
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return (pass = (await answer.json()).token);
}

const socket = new Socket(token, {
  ready: subscribe,
  event(name, data) { if (name === "display_updated") take(data); },
  lost() {
    connected = false;
    clearTimeout(asking);
  },
  refused() { pass = null; },
});

async function subscribe() {
  const before = shown;
  const since = shown && { epoch: shown.epoch, seq: shown.seq };
  const answer = await socket.request("subscribe", since ? { room, since } : { room });
  if (!answer.ok) return socket.restart();
  socket.steady();
  connected = true;
  heardAt = Date.now();
  asking = setTimeout(subscribe, ASK_MS);
  if (answer.state && shown === before) shown = null; // nothing came meanwhile: the answer replaces what is here
  if (answer.state) take(answer.state);
}

function take(state) {
  connected = true;
  heardAt = Date.now();
  const newer = !shown || state.epoch > shown.epoch || (state.epoch === shown.epoch && state.seq > shown.seq);
  if (!newer) return;
  shown = state;
  render();
  announce();
}

// Several calls may come with one state, after a cut above all: each is announced, unless its customer has moved on.
// What was called before this screen looked is no news.
function announce() {
  const fresh = known ? shown.calls.filter((call) => !known.has(call.callId) && stillMeant(call)) : [];
  known = new Set(shown.calls.map(({ callId }) => callId));
  for (const { tokenNumber, barberName } of fresh) {
    const line = document.createElement("span");
    line.textContent = `Token ${tokenNumber}, please come to ${barberName}`;
    byId("call").append(line);
    if (byId("call").children.length > CALLS_SHOWN) byId("call").firstElementChild.remove();
    setTimeout(() => line.remove(), CALL_SHOWN_MS);
  }
}

function stillMeant({ barberId, tokenNumber }) {
  const queue = shown.queues.find((each) => each.barberId === barberId);
  return [queue?.serving, queue?.next].some((entry) => entry?.tokenNumber === tokenNumber);
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
