// A place in the line, as its holder sees it: live, with the reason of each change; to step back from, or to give up.

import { Alerts } from "./alerts.js";
import { BarberPro, CommandError } from "./barberpro.js";
import "./elements.js";
import { reason } from "./reasons.js";
import { ask, insist } from "./rest.js";
import { keepShell, offerLanguages, wordsFor } from "./shell.js";
import { texts, translate } from "./texts.js";
import { TicketView } from "./ticket-view.js";
import { forgetTicket, handedTicket, keepTicket, liveTickets, ticketOf } from "./tickets.js";

const MOST_PLACES = 3;
const AGED_MS = 1_500;
const LOUD = new Set(["next", "serving"]);
const OVER = new Set(["completed", "cancelled"]);
const UNAUTHENTICATED = 4401;

const byId = (id) => document.getElementById(id);
const bookingId = location.pathname.split("/")[2] || "";
const path = `/bookings/${bookingId}`;
const t = await insist(() => texts("ticket"));
const view = new TicketView(t);
const alerts = new Alerts(t.language);
let ticket = null;
let shop = null;
let aging = 0;         // until it is said how old what is shown from before is: as a rule the truth comes sooner
let shown = null;      // the newest state
let asked = false;     // whether the history is being asked for
let askAgain = false;  // whether the place changed meanwhile

translate(t);
offerLanguages(byId("language"), t.language);
addEventListener("beforeinstallprompt", offerToInstall);
await begin();
keepShell();

async function begin() {
  if (!bookingId) return toTheNewest();
  ticket = ticketOf(bookingId) ?? handedTicket(bookingId);
  if (location.hash.length > 1) ticket ??= await takeOver(location.hash.slice(1));
  if (!ticket) return view.end(t("noTicket"));
  history.replaceState(history.state, "", location.pathname); // nobody should find a code in the address that somebody shares
  if (ticket.seen) {
    view.show(ticket.seen);
    aging = setTimeout(() => view.aged(ticket.seen.seenAt), AGED_MS);
  }
  watch();
  listen();
}

// The app on the home screen opens here.
function toTheNewest() {
  const [newest] = liveTickets();
  if (newest) location.replace(`/ticket/${newest.bookingId}`);
  else view.end(t("noTickets"));
}

// A code that a kiosk showed, or its paper: for the ticket, which this phone keeps from now on.
async function takeOver(code) {
  view.notice(t("connecting"));
  try {
    const told = await insist(() => ask(`${path}/ticket`, { body: { code } }), () => view.notice(t("noNetwork")));
    view.notice("");
    return keepTicket(bookingId, told.ticket);
  } catch {
    return null;
  }
}

function watch() {
  shop = new BarberPro({ token: async () => ticket.token });
  shop.addEventListener("error", ({ detail }) => refused(detail));
  // How a command ends comes as an event, as it does after a reload.
  shop.addEventListener("answer", ({ detail: { error } }) => view.problem(error ? wordsFor(t, error) : ""));
  shop.watch(`booking:${bookingId}`, take);
  byId("fresh").hidden = false;
  byId("fresh").watch(shop, `booking:${bookingId}`);
}

function take(state) {
  const before = shown;
  shown = state;
  const moved = !before || before.status !== state.status || before.position !== state.position;
  const elsewhere = before && before.barberId !== state.barberId;
  keep({ ...state, seenAt: Date.now() });
  clearTimeout(aging);
  view.aged(0);
  if (before && moved) view.why(reason(t, state.cause, state.status));
  if (moved) story();
  if (!ticket.seen.shopName || elsewhere) about();
  if (!ticket.alerts) return;
  if (LOUD.has(state.status)) loud(state);
  else if (ticket.alerted) ticket = keepTicket(bookingId, { alerted: "" });
}

function keep(more) {
  const seen = { ...ticket.seen, ...more };
  ticket = keepTicket(bookingId, { seen, shopId: seen.shopId, over: OVER.has(seen.status) });
  view.show(seen);
}

// The names of shop and barber, which the room does not tell.
async function about() {
  const told = await ask(path, { token: ticket.token }).catch(() => null);
  if (told) keep({ shopName: told.shopName, barberName: told.barberName, appointmentAt: told.appointmentAt });
}

// Every change of place with its cause. Of states only the newest comes: what led to it stands here, whatever was missed.
async function story() {
  if (asked) {
    askAgain = true;
    return;
  }
  asked = true;
  const changes = await ask(`${path}/history`, { token: ticket.token }).catch(() => null);
  asked = false;
  if (changes) {
    view.story(changes);
    const { cause, status } = changes.at(-1);
    view.why(reason(t, cause, status));
  }
  if (!askAgain) return;
  askAgain = false;
  story();
}

function loud({ status, servingToken }) {
  if (ticket.alerted === status) return;
  ticket = keepTicket(bookingId, { alerted: status });
  const words = status === "next" ? t(servingToken === null ? "come" : "beThere") : t("with", { barber: ticket.seen.barberName ?? "" });
  alerts.raise({ title: t(status), words, tag: bookingId });
}

// The room is closed to the ticket: its booking is not known any more, or the ticket ended or was revoked.
async function refused({ code, ended }) {
  const problem = code === UNAUTHENTICATED ? await ask(path, { token: ticket.token }).catch((error) => error) : null;
  if (!ended && !(problem instanceof CommandError && !problem.temporary)) return;
  shop.close();
  clearTimeout(aging);
  forgetTicket(bookingId);
  view.end(t("ticketOver"));
}

function listen() {
  byId("check-in").addEventListener("click", () => send({ type: "check_in" }));
  byId("step-back").addEventListener("click", askHowFar);
  byId("cancel").addEventListener("click", () => byId("cancel-dialog").showModal());
  byId("cancel-dialog").addEventListener("close", ({ target }) => {
    if (target.returnValue === "cancel") send({ type: "cancel" });
    target.returnValue = "";
  });
  byId("step-back-dialog").addEventListener("close", ({ target }) => {
    if (target.returnValue) send({ type: "step_back", places: Number(target.returnValue) });
    target.returnValue = "";
  });
  byId("alerts").addEventListener("click", toggleAlerts);
  if (ticket.alerts) alerts.askForSound();
  tellAlerts();
}

// As many places as there are people behind: the queue's public state tells.
async function askHowFar() {
  view.problem("");
  const queue = await ask(`/queue/${shown?.barberId ?? ""}`).catch(() => null);
  const line = queue ? queue.waiting.length + (queue.next ? 1 : 0) : Infinity;
  const behind = Math.min(MOST_PLACES, line - (shown?.position ?? 0));
  if (behind < 1) return view.problem(t("INVALID_TRANSITION"));
  byId("places").replaceChildren(...Array.from({ length: behind }, (_, at) => {
    const button = Object.assign(document.createElement("button"), { className: "button main", value: at + 1 });
    button.textContent = t("places", { people: at + 1 });
    return button;
  }));
  byId("step-back-dialog").showModal();
}

// What comes of it is shown by the next state; until then nothing is claimed.
async function send(command) {
  const buttons = document.querySelectorAll("#actions button");
  buttons.forEach((button) => { button.disabled = true; });
  const slow = setTimeout(() => view.problem(t("unanswered")), 4_000);
  await shop.send({ ...command, bookingId }).catch(() => {});
  clearTimeout(slow);
  buttons.forEach((button) => { button.disabled = false; });
}

async function toggleAlerts() {
  const wanted = !ticket.alerts;
  ticket = keepTicket(bookingId, { alerts: wanted });
  tellAlerts();
  if (!wanted) return;
  await alerts.ask();
  tellAlerts();
  if (LOUD.has(shown?.status)) loud(shown);
}

function tellAlerts() {
  byId("alerts").setAttribute("aria-pressed", String(Boolean(ticket.alerts)));
  byId("alerts-told").textContent = !ticket.alerts ? "" : t(alerts.notifies ? "alertsOn" : "alertsOnHere");
}

function offerToInstall(event) {
  event.preventDefault();
  byId("install").hidden = false;
  byId("install").onclick = () => {
    byId("install").hidden = true;
    event.prompt();
  };
}
