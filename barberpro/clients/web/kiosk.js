// A tablet at the door: a walk-in chooses, takes a number, and carries it away on the phone or on paper. Nothing of theirs
// stays here: the ticket is in this page's memory, until the next one comes.

import { BarberPro } from "./barberpro.js";
import "./elements.js";
import { Idle } from "./idle.js";
import { KioskView } from "./kiosk-view.js";
import { Device, NotPaired } from "./pairing.js";
import { ask, insist, picture } from "./rest.js";
import { keepShell, wordsFor } from "./shell.js";
import { preferred, texts } from "./texts.js";

const KNOWN = ["en", "hi", "ar"];
const CHOOSING_SECONDS = 40;
const READING_SECONDS = 30;
const PATIENCE_MS = 60_000;  // whoever stands here does not wait longer
const MENU_MS = 300_000;     // prices and barbers change now and then
const SLOW_MS = 4_000;
const FORGETFUL = { getItem: () => null, setItem() {}, removeItem() {} };  // the next one must not find what the last one did

const home = preferred(KNOWN);
const device = new Device("kiosk");
device.take(location.pathname.split("/")[2]);
const view = new KioskView({ begin: choose, take, restart, language: (tag) => speak(tag).catch(() => {}) });
const idle = new Idle((left) => view.warn(left), restart);
let t = null;
let shop = null;
let shopId = "";
let served = 0;  // how many stood here, so that a picture that comes late is not shown to the next

await insist(() => speak(home));
await begin();
keepShell();

async function begin() {
  const away = () => view.notice(t("noNetwork"));
  shopId = device.shopId ?? await insist(() => device.pair((code) => view.askToPair(code)), away);
  if (location.pathname !== `/kiosk/${shopId}`) history.replaceState(null, "", `/kiosk/${shopId}`);
  await insist(readMenu, away);
  setInterval(() => readMenu().catch(() => {}), MENU_MS);
  shop = new BarberPro({ token, storage: FORGETFUL, patienceMs: PATIENCE_MS });
  shop.addEventListener("status", () => view.away(shop.status === "lost" || shop.status === "offline"));
  shop.watch(`display:${shopId}`, ({ queues }) => view.lines(queues));
  view.watch(shop, `display:${shopId}`);
  restart();
}

async function token() {
  try {
    return await device.token();
  } catch (problem) {
    if (!(problem instanceof NotPaired)) throw problem;
    device.forget(); // the shop has revoked it: it shows a code again, for whatever shop
    location.reload();
    throw problem;
  }
}

async function readMenu() {
  view.offer(await ask(`/shops/${shopId}`));
}

async function speak(language) {
  t = await texts("kiosk", language, KNOWN);
  view.speak(t);
}

async function restart() {
  served++;
  idle.within(0);
  if (t.language !== home) await speak(home).catch(() => {});
  view.start();
}

function choose() {
  idle.within(CHOOSING_SECONDS);
  view.choose();
}

async function take(wish) {
  idle.within(0);  // until there is an answer: a number that nobody saw would be called in vain
  view.busy(true);
  const slow = setTimeout(() => view.problem(t("unanswered")), SLOW_MS);
  try {
    await show(await shop.send({ type: "join", ...wish }));
  } catch (problem) {
    idle.within(CHOOSING_SECONDS);
    view.problem(wordsFor(t, problem));
  } finally {
    clearTimeout(slow);
    view.busy(false);
  }
}

async function show({ booking, ticket }) {
  const mine = served;
  idle.within(READING_SECONDS);
  view.done(booking);
  const address = await picture(`/bookings/${booking.bookingId}/qr`, ticket.token).catch(() => null);
  if (address && mine === served) view.showCode(address);
}
