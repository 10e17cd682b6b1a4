// What a barber can do, each made into a command of the line as it is at that moment.

const stale = (state) => ({ seq: state.seq });

/** Done with whoever is in the chair, and the next one in: once, however many devices press. */
export function advance(desk, payment) {
  const { serving } = desk.state;
  const expect = { servingBookingId: serving?.bookingId ?? null };
  const paid = serving && payment ? { payment } : {};
  return desk.ask("advance", "line", () => ({ type: "advance", barberId: desk.barberId, expect, ...paid }));
}

/** Done, and nobody is called. */
export function complete(desk, payment) {
  const bookingId = desk.state.serving.bookingId;
  const paid = payment ? { payment } : {};
  return desk.ask("complete", "line", () => ({ type: "complete", bookingId, ...paid }));
}

export const open = (desk) => desk.ask("open", "line", () => ({ type: "open", barberId: desk.barberId }));

export function pause(desk, reason) {
  const why = reason ? { reason } : {};
  return desk.ask("pause", "line", () => ({ type: "pause", barberId: desk.barberId, ...why }));
}

/** @param {"keep" | "cancel"} waiting what becomes of those who wait */
export function close(desk, waiting) {
  return desk.ask("close", "line", () => ({ type: "close", barberId: desk.barberId, waiting }));
}

export function join(desk, fields) {
  return desk.ask("join", "join", () => ({ type: "join", barberId: desk.barberId, ...fields }));
}

export const noShow = (desk, bookingId) => desk.ask("no_show", bookingId, () => ({ type: "no_show", bookingId }));

/** @param {"front" | "back"} to */
export function recall(desk, bookingId, to) {
  return desk.ask(`recall_${to}`, bookingId, () => ({ type: "recall", bookingId, to }));
}

export const checkIn = (desk, bookingId) => desk.ask("check_in", bookingId, () => ({ type: "check_in", bookingId }));

export const cancel = (desk, bookingId) => desk.ask("cancel", bookingId, () => ({ type: "cancel", bookingId }));

export function transfer(desk, bookingId, toBarberId) {
  return desk.ask("transfer", bookingId, () => ({ type: "transfer", bookingId, toBarberId }));
}

/** To the end of the line: of whoever stands where they stood when it was asked, and was skipped as often. */
export function skip(desk, bookingId) {
  const seen = desk.person(bookingId);
  return desk.ask("skip", bookingId, (state) => {
    const now = desk.person(bookingId);
    const same = now && now.status === seen.status && now.skipCount === seen.skipCount;
    return same ? { type: "skip", bookingId, expect: stale(state) } : null;
  });
}

/**
 * To stand right before somebody, or behind somebody at the end: places have numbers that change while one looks.
 * @param {{before: string|null, after: string|null}} beside bookings; before: null is the end
 */
export function move(desk, bookingId, { before, after }, reason) {
  return desk.ask("move", bookingId, (state) => {
    const ids = state.waiting.map((entry) => entry.bookingId);
    if (!ids.includes(bookingId)) return null;
    const rest = ids.filter((id) => id !== bookingId);
    let index = before === null ? rest.length : rest.indexOf(before);
    if (index < 0) index = rest.indexOf(after) + 1 || -1;
    return index < 0 ? null : { type: "move", bookingId, position: index + 2, reason, expect: stale(state) };
  });
}
