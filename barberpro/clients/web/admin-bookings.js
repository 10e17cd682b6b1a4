// Bookings: of all shops for administrators, of one's own shop for who works there; and how each came to its place.

import { button, el } from "./dom.js";
import { minutes, money } from "./format.js";
import { listing } from "./listing.js";
import { sheet } from "./sheets.js";
import { choices, id, labelled, lines, link, moment, soft } from "./admin-words.js";

const STATUSES = ["scheduled", "waiting", "next", "serving", "completed", "cancelled", "skipped"];

export function show(page) {
  const { t, admin } = page;
  listing(page, {
    path: admin ? "/admin/bookings" : "/bookings",
    filters: [
      { name: "shopId", kind: "shop" },
      { name: "status", kind: "choice", choices: choices(t, "is", STATUSES) },
      { name: "kind", kind: "choice", choices: choices(t, "kind", ["walk_in", "appointment"]) },
      ...(admin ? [{ name: "bookingId", kind: "text" }, { name: "customerId", kind: "text" }] : []),
      { name: "barberId", kind: "text" },
      { name: "from", kind: "moment" },
      { name: "to", kind: "moment" },
    ],
    columns: [
      { head: t("customer"), cell: (row) => lines(person(t, row), soft(t(`kind_${row.kind}`)), row.customerId ? link(t("theirs"), "bookings", { customerId: row.customerId }) : null) },
      { head: t("shop"), cell: (row) => lines(row.shopName, soft(row.barberName)) },
      { head: t("state"), cell: (row) => lines(t(`is_${row.status}`), soft(ending(t, row))) },
      { head: t("when"), cell: (row) => lines(moment(row.appointmentAt ?? row.createdAt), labelled(t("until"), row.endedAt)) },
      { head: t("price"), figure: true, cell: (row) => lines(money(row.totalPrice, row.currency), soft([minutes(row.durationMinutes), row.paid === undefined ? "" : t("paidOf", { paid: money(row.paid, row.currency) })].filter(Boolean).join(" · "))) },
      { head: t("booking"), cell: (row) => lines(id(row.bookingId), button(t("history"), () => history(page, row))) },
    ],
  });
}

function person(t, { customerName, tokenNumber }) {
  const name = customerName ?? t("noName");
  return tokenNumber === null ? name : t("named", { token: String(tokenNumber), name });
}

function ending(t, { endReason, cancelledBy }) {
  return [cancelledBy ? t(`by_role_${cancelledBy}`) : "", endReason ?? ""].filter(Boolean).join(" · ");
}

/** Every change of place, with its cause. */
async function history({ t, session }, row) {
  const told = await session.ask("GET", `/bookings/${row.bookingId}/history`, { whole: true }).catch((problem) => ({ problem }));
  const about = told.problem
    ? el("p", { className: "problem", textContent: told.problem.code ? told.problem.message : t("noAnswer") })
    : el("ol", { className: "history" }, ...told.data.map((change) => el("li", {}, moment(change.at), " ", el("strong", { textContent: t(`is_${change.status}`) }),
      change.position === null ? "" : ` ${t("atPlace", { place: change.position })}`, soft(cause(t, change.cause)))));
  const gone = !told.problem && !told.meta.complete ? el("p", { className: "soft", textContent: t("historyIncomplete") }) : null;
  await sheet(t("historyOf", { who: person(t, row) }), t("back"), () => ({ content: [gone, about].filter(Boolean) }));
}

function cause(t, told) {
  if (!told) return "";
  return [` ${told.type.replaceAll("_", " ")}`, t(`by_role_${told.actorRole}`), told.reason].filter(Boolean).join(" · ");
}
