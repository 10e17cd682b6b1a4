// The tickets of this phone, one a booking. Whoever has a ticket has the place, so it is kept here and nowhere else.
//
// Where a phone keeps nothing (its storage is closed, or full), the tab does: the page, and its entry in the history, which
// outlives a reload and goes along in no address that somebody shares.

const PREFIX = "barberpro.ticket.";
const HANDED = "#ticket=";

const unkept = new Map(); // by booking

/**
 * @typedef {object} Ticket
 * @property {string} bookingId
 * @property {string} token
 * @property {string} expiresAt
 * @property {string} [shopId]
 * @property {object} [seen] what the page showed last, for when it is opened without a network
 * @property {boolean} [over] the booking has left the line for good
 * @property {boolean} [alerts] whether this phone is to be loud when it is next
 * @property {string} [alerted] of which status it was loud last
 */

/** @returns {Ticket | null} */
export function ticketOf(bookingId) {
  // What could not be kept is newer than what was.
  return living(unkept.get(bookingId)) ?? read(PREFIX + bookingId) ?? living(history.state?.[PREFIX + bookingId]);
}

/** Adds to what is known of a ticket, or begins with it. */
export function keepTicket(bookingId, more) {
  const ticket = { ...ticketOf(bookingId), ...more, bookingId };
  try {
    localStorage.setItem(PREFIX + bookingId, JSON.stringify(ticket));
    unkept.delete(bookingId);
  } catch {
    unkept.set(bookingId, ticket);
    note(bookingId, ticket);
  }
  return ticket;
}

/** Where the ticket's page is; it brings the ticket along where the phone does not keep it. */
export function addressOfTicket(bookingId) {
  const ticket = unkept.get(bookingId);
  return `/ticket/${bookingId}${ticket ? HANDED + encodeURIComponent(JSON.stringify(handed(ticket))) : ""}`;
}

/** The ticket that came along in the address, which it leaves at once; null when none did. Anybody can write one. */
export function handedTicket(bookingId) {
  if (!location.hash.startsWith(HANDED)) return null;
  const told = location.hash.slice(HANDED.length);
  history.replaceState(history.state, "", location.pathname);
  try {
    const ticket = handed(JSON.parse(decodeURIComponent(told)));
    const whole = Object.values(ticket).every((part) => typeof part === "string");
    return whole && living(ticket) ? keepTicket(bookingId, ticket) : null;
  } catch {
    return null; // written by nobody here
  }
}

export function forgetTicket(bookingId) {
  unkept.delete(bookingId);
  note(bookingId, undefined);
  try {
    localStorage.removeItem(PREFIX + bookingId);
  } catch {
    // The same.
  }
}

/**
 * Those of live bookings, the newest first.
 * @param {string} [shopId] of this shop only
 * @returns {Ticket[]}
 */
export function liveTickets(shopId) {
  return all().filter((ticket) => !ticket.over && (!shopId || ticket.shopId === shopId))
    .sort((one, other) => other.expiresAt.localeCompare(one.expiresAt));
}

function all() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map(read).filter(Boolean);
  } catch {
    return [];
  }
}

// A ticket that has ended is of no use to anybody, and removed.
function read(key) {
  try {
    const ticket = living(JSON.parse(localStorage.getItem(key)));
    if (ticket) return ticket;
    localStorage.removeItem(key);
  } catch {
    // Nothing that could be read.
  }
  return null;
}

function living(ticket) {
  return ticket && Date.parse(ticket.expiresAt) > Date.now() ? ticket : null;
}

// Browsers take only so many changes of the history in a minute, so none that says nothing new.
function note(bookingId, ticket) {
  const name = PREFIX + bookingId;
  const before = history.state?.[name];
  const now = ticket && lasting(ticket);
  if (JSON.stringify(before) !== JSON.stringify(now)) history.replaceState({ ...history.state, [name]: now }, "");
}

// What a page that has shown nothing of it yet needs.
function handed({ token, expiresAt, shopId }) {
  return { token, expiresAt, shopId };
}

// Without what the page showed last, which changes all the time.
function lasting({ seen: _, ...ticket }) {
  return ticket;
}
