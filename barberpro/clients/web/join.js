// What the code on the door opens: who works here and how long it takes, before joining; then a place in the line.
//
// A guest's door token is new with every scan, and a command belongs to who sent it. So the door that a join went through
// is kept until the join is answered: a reload asks through the same door, and joins once.

import { BarberPro, CommandError } from "./barberpro.js";
import "./elements.js";
import { JoinForm } from "./join-form.js";
import { ask, insist } from "./rest.js";
import { keepShell, offerLanguages, wordsFor } from "./shell.js";
import { texts, translate } from "./texts.js";
import { addressOfTicket, forgetTicket, keepTicket, liveTickets } from "./tickets.js";

const shopId = location.pathname.split("/")[2];
const code = new URLSearchParams(location.search).get("code");
const DOOR = `barberpro.door.${shopId}`;
const PATIENCE_MS = 600_000;     // for how long a join is asked again; its door must last as long
const SLOW_MS = 4_000;
const ROOM = `display:${shopId}`;  // of the shop's screen, which tells how long each line is

const byId = (id) => document.getElementById(id);
const [mine] = liveTickets(shopId);
let scanning = code ? scan(mine) : null;  // on its way while the words are fetched
scanning?.catch(() => {});
const t = await insist(() => texts("join"));
translate(t);
document.title = t("title");
offerLanguages(byId("language"), t.language);

let door = null;       // {token, expiresAt}
let shop = null;       // the client that came in through it
let stop = null;       // ends what it watches
const form = new JoinForm(byId("form"), t, join);

await begin();
keepShell(); // the first view does not share a slow network with what is for later

async function begin() {
  if (!code) return mine ? lead(mine.bookingId) : notice(t("noCode"));
  notice(t("connecting"));
  try {
    const told = await insist(firstScan, () => mine ? lead(mine.bookingId) : notice(t("noNetwork")));
    // Who was passed over may take another place.
    if (told.place && told.place.status !== "skipped") return lead(told.place.bookingId);
    if (mine && !told.place) forgetTicket(mine.bookingId);
    open(told);
  } catch (problem) {
    notice(wordsFor(t, problem));
  }
}

function firstScan() {
  const begun = scanning ?? scan(mine);
  scanning = null;
  return begun;
}

function scan(ticket) {
  return ask(`/shops/${shopId}/scan`, { body: ticket ? { code, ticket: ticket.token } : { code } });
}

function open(told) {
  const kept = keptDoor();
  byId("shop").textContent = document.title = told.shop.name;
  enter(kept ?? told.door);
  form.offer(told.shop);
  const asking = kept !== null && joining();
  notice(asking ? t("unanswered") : "");
  form.show(!asking);
  if (!asking) leaveDoor();
}

function enter(present) {
  shop?.close();
  door = present;
  shop = new BarberPro({ token: async () => door.token, patienceMs: PATIENCE_MS });
  shop.addEventListener("answer", ({ detail }) => answered(detail));
  shop.addEventListener("error", ({ detail }) => { if (!detail.ended) renew().catch(() => {}); });
  if (!joining()) look();
}

function joining() {
  return shop.pending.some(({ type }) => type === "join");
}

function look() {
  stop?.();
  stop = shop.watch(ROOM, (state) => form.lines(state.queues));
  byId("fresh").watch(shop, ROOM);
}

async function renew() {
  if (!joining()) enter((await scan()).door);
}

async function join(wish) {
  form.busy(true);
  try {
    if (Date.parse(door.expiresAt) - Date.now() < PATIENCE_MS) await insist(renew, () => form.problem(t("unanswered")));
    localStorage.setItem(DOOR, JSON.stringify(door));
  } catch (problem) {
    if (problem instanceof CommandError) return refused(problem);
    // A storage that is closed: a reload will not know of the join, this page does.
  }
  // An address has only so many sockets for doors, and phones may share one: then the join goes without.
  if (!shop.isLive(ROOM)) stop?.();
  const slow = setTimeout(() => form.problem(t("unanswered")), SLOW_MS);
  // How it ends comes as an event, as it does after a reload.
  shop.send({ type: "join", ...wish }).catch(() => {}).finally(() => clearTimeout(slow));
}

function answered({ command, result, error }) {
  if (command.type !== "join") return;
  leaveDoor();
  if (error) return refused(error);
  const { booking: { bookingId }, ticket } = result;
  keepTicket(bookingId, { ...ticket, shopId });
  lead(bookingId);
}

function refused(error) {
  notice("");
  look();
  form.show(true);
  form.busy(false);
  form.problem(wordsFor(t, error));
}

function lead(bookingId) {
  location.replace(addressOfTicket(bookingId));
}

function notice(words) {
  byId("notice").textContent = words;
  byId("notice").hidden = !words;
}

function keptDoor() {
  try {
    const kept = JSON.parse(localStorage.getItem(DOOR));
    return kept && Date.parse(kept.expiresAt) > Date.now() ? kept : null;
  } catch {
    return null;
  }
}

function leaveDoor() {
  try {
    localStorage.removeItem(DOOR);
  } catch {
    // It was not kept either.
  }
}
