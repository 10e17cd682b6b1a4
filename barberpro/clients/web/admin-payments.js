// The ledger's lines, the newest first; amounts are signed.

import { money } from "./format.js";
import { listing } from "./listing.js";
import { choices, id, lines, link, moment, soft } from "./admin-words.js";

export function show(page) {
  const { t, admin } = page;
  listing(page, {
    path: admin ? "/admin/payments" : "/payments",
    filters: [
      { name: "shopId", kind: "shop" },
      { name: "kind", kind: "choice", choices: choices(t, "pay", ["charge", "tip", "refund", "correction"]) },
      { name: "method", kind: "choice", choices: choices(t, "method", ["cash", "card", "upi"]) },
      { name: "bookingId", kind: "text" },
      { name: "barberId", kind: "text" },
      { name: "from", kind: "moment" },
      { name: "to", kind: "moment" },
    ],
    columns: [
      { head: t("when"), cell: (row) => moment(row.at) },
      { head: t("what"), cell: (row) => lines(t(`pay_${row.kind}`), soft([t(`method_${row.method}`), row.reason].filter(Boolean).join(" · "))) },
      { head: t("amount"), figure: true, cell: (row) => money(row.amount, row.currency) },
      { head: t("booking"), cell: (row) => (admin ? link(row.bookingId, "bookings", { bookingId: row.bookingId }) : id(row.bookingId)) },
      { head: t("recordedBy"), cell: (row) => lines(t(`by_role_${row.recordedByRole}`), id(row.recordedBy)) },
      { head: t("payment"), cell: (row) => id(row.paymentId) },
    ],
  });
}
