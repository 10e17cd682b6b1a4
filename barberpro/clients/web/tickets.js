// The tickets of this phone, one a booking. Whoever has a ticket has the place, so it is kept here and nowhere else.

const PREFIX = "barberpro.ticket.";

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
  return read(PREFIX + bookingId);
}

/** Adds to what is known of a ticket, or begins with it. */
export function keepTicket(bookingId, more) {
  const ticket = { ...ticketOf(bookingId), ...more, bookingId };
  try {
    localStorage.setItem(PREFIX + bookingId, JSON.stringify(ticket));
  } catch {
    // Full, or closed to this page: the ticket lives as long as the page then.
  }
  return ticket;
}

export function forgetTicket(bookingId) {
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
    const ticket = JSON.parse(localStorage.getItem(key));
    if (ticket && Date.parse(ticket.expiresAt) > Date.now()) return ticket;
    localStorage.removeItem(key);
  } catch {
    // Nothing that could be read.
  }
  return null;
}
