// The shop's screen: shows the newest state of display:<shopId>, announces calls, and says honestly how old it is.

import { Announcer } from "./announce.js";
import { BarberPro } from "./barberpro.js";
import { Calls } from "./calls.js";
import { Card } from "./display-card.js";
import { applyLook, settings, settingsDialog } from "./display-settings.js";
import "./elements.js";
import { time } from "./format.js";
import { Device, NotPaired } from "./pairing.js";
import { keepShell } from "./shell.js";
import { LANGUAGES, preferred, texts, translate } from "./texts.js";

const ASK_MS = 3_000;       // how often the server is asked whether what is here is still true
const AGAIN_MS = 3_000;     // until the next try to come in
const MANY = 6;             // more barbers than that, and those who are closed are left out

const known = Object.keys(LANGUAGES);
const byId = (id) => document.getElementById(id);
const device = new Device("display");
const cards = new Map();    // by barber

let kept = settings();
applyLook(kept);
let t = await texts("display", preferred(known), known);
let shopId = location.pathname.split("/")[2] ?? null;
let shown = null;           // the state on the screen
let calls = null;
let shop = null;
let pairing = false;        // while a code is shown
let cameBefore = 0;         // how often it was live

const announcer = new Announcer({ language: t.language, shownMs: kept.callSeconds * 1000 });
Object.assign(announcer, { sound: kept.sound, speech: kept.speech });

// Coming in ----------------------------------------------------------------------------------------------------------

/** Where this screen's tokens come from: a paired device's own, or everybody's of a public display. */
async function tokens(signal) {
  if (device.shopId) return { paired: true, token: await device.token() };
  if (!shopId) throw new NotPaired("no shop in the address");
  const answer = await fetch(`/display/${shopId}/token`, { signal });
  if (answer.status === 404) throw new NotPaired("not a public display");
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return { paired: false, token: (await answer.json()).token };
}

function begin() {
  shopId = device.shopId ?? shopId;
  if (!shopId) return pair();
  if (location.pathname !== `/display/${shopId}`) history.replaceState(null, "", `/display/${shopId}${location.search}`);
  const room = `display:${shopId}`;
  calls = new Calls(shopId);
  shop = new BarberPro({ token: (signal) => token(signal), askMs: ASK_MS });
  shop.addEventListener("error", ({ detail }) => { if (detail.ended) leave(AGAIN_MS); });
  shop.addEventListener("status", ({ detail }) => { if (detail === "live" && cameBefore++) renewPage(); });
  shop.watch(room, take);
  byId("fresh").watch(shop, room);
}

async function token(signal) {
  try {
    return (await tokens(signal)).token;
  } catch (problem) {
    if (problem instanceof NotPaired) leave(0);
    throw problem;
  }
}

// What this screen was paired with is no more; or it never was.
function leave(ms) {
  shop?.close();
  shop = null;
  byId("line").hidden = true;
  if (ms) setTimeout(begin, ms);
  else pair();
}

async function pair() {
  if (pairing) return;
  pairing = true;
  shop?.close();
  shop = null;
  shown = null;
  byId("line").hidden = true;
  byId("pairing").hidden = false;
  byId("fresh").hidden = true;
  try {
    shopId = await device.pair(showCode);
  } catch {
    setTimeout(pair, AGAIN_MS);
    return;
  } finally {
    pairing = false;
  }
  byId("pairing").hidden = true;
  byId("fresh").hidden = false;
  begin();
}

function showCode(code, until) {
  byId("code").textContent = code;
  byId("until").textContent = t("pairUntil", { time: time(until) });
}

// A server may have been renewed while this page ran: then its parts have another build's name.
async function renewPage() {
  try {
    const page = await (await fetch(location.href)).text();
    const build = new URL(".", import.meta.url).pathname;
    if (build !== "/static/" && page.includes("/static/") && !page.includes(build)) location.reload();
  } catch {
    // The next time.
  }
}

// The line -----------------------------------------------------------------------------------------------------------

function take(state) {
  shown = state;
  render();
  for (const call of calls.news(state)) {
    const values = { token: call.tokenNumber, barber: call.barberName ?? "" };
    const lines = [t("token", values), values.barber].filter(Boolean).join("\n");
    announcer.say(call.callId, lines, t(values.barber ? "spoken" : "spokenOnly", values));
  }
}

function render() {
  const queues = shown.queues.length > MANY ? openOnes(shown.queues) : shown.queues;
  const rows = queues.length <= 4 ? 1 : queues.length <= 8 ? 2 : 3;
  const columns = Math.ceil(queues.length / rows);
  const line = byId("line");
  if (document.title !== shown.shopName) document.title = byId("shop").textContent = shown.shopName;
  Object.assign(line.dataset, { rows, columns });
  line.hidden = false;
  byId("pairing").hidden = true;
  const present = new Set(queues.map(({ barberId }) => barberId));
  for (const [barberId, card] of cards) {
    if (present.has(barberId)) continue;
    card.element.remove();
    cards.delete(barberId);
  }
  queues.forEach((queue, index) => {
    if (!cards.has(queue.barberId)) cards.set(queue.barberId, new Card(byId("card"), t));
    const card = cards.get(queue.barberId);
    card.show(queue, { rows, columns }, t);
    if (line.children[index] !== card.element) line.insertBefore(card.element, line.children[index] ?? null);
  });
}

function openOnes(queues) {
  const open = queues.filter(({ status, serving, next }) => status !== "closed" || serving || next);
  return open.length ? open : queues;
}

// Announcements ------------------------------------------------------------------------------------------------------

announcer.addEventListener("begin", ({ detail: { id, text } }) => {
  calls.begun(id);
  byId("call").textContent = text;
});
announcer.addEventListener("end", () => { byId("call").textContent = ""; });
announcer.addEventListener("audible", ({ detail }) => { byId("unmute").hidden = detail || !kept.sound; });
for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => { if (!announcer.audible) announcer.unlock(); });
announcer.unlock(); // where the browser lets a page sound that nobody has touched: a screen after a power cut

// Settings -----------------------------------------------------------------------------------------------------------

settingsDialog(byId("settings"), byId("choices"), t.language, {
  async changed(chosen, language) {
    kept = chosen;
    applyLook(kept);
    t = await texts("display", language, known);
    Object.assign(announcer, { sound: kept.sound, speech: kept.speech, language, shownMs: kept.callSeconds * 1000 });
    byId("unmute").hidden = announcer.audible || !kept.sound;
    translate(t);
    for (const card of cards.values()) card.translate(t);
    if (shown) render();
  },
  repair() {
    pair();
  },
});

// Keeps a tablet's screen on; a television has no such thing.
async function stayAwake() {
  try {
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
  } catch {
    // It may sleep then.
  }
}
document.addEventListener("visibilitychange", stayAwake);
stayAwake();

translate(t);
begin();
keepShell(); // a screen that is switched on while the server is away comes up, and waits
