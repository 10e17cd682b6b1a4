// Accounts and barbers. What somebody is called or can be reached by is not put into the address.

import { el } from "./dom.js";
import { listing } from "./listing.js";
import { choices, id, lines, link, moment, soft } from "./admin-words.js";

export function show(page) {
  if (page.name === "users") users(page);
  else barbers(page);
}

function users(page) {
  const { t } = page;
  listing(page, {
    path: "/admin/users",
    filters: [
      { name: "email", kind: "text", personal: true },
      { name: "phone", kind: "text", personal: true },
      { name: "name", kind: "text", personal: true },
      { name: "userType", kind: "choice", choices: choices(t, "by_role", ["customer", "barber", "admin"]) },
      { name: "shopId", kind: "shop" },
    ],
    columns: [
      { head: t("name"), cell: (row) => lines(row.name ?? t("noName"), soft(t(`by_role_${row.userType}`)), row.deletedAt ? soft(t("deleted")) : null) },
      { head: t("reached"), cell: (row) => lines(row.email, row.phone) },
      { head: t("since"), cell: (row) => moment(row.createdAt) },
      { head: t("user"), cell: (row) => id(row.userId) },
      { head: t("see"), cell: (row) => el("p", { className: "row small" },
        row.userType === "customer" ? link(t("bookings"), "bookings", { customerId: row.userId }) : null,
        link(t("audit"), "audit", { actorId: row.userId }), link(t("flags"), "flags", { userId: row.userId })) },
    ],
  });
}

function barbers(page) {
  const { t } = page;
  listing(page, {
    path: "/admin/barbers",
    filters: [
      { name: "name", kind: "text" },
      { name: "shopId", kind: "shop" },
      { name: "active", kind: "choice", choices: [["true", t("works")], ["false", t("left")]] },
    ],
    columns: [
      { head: t("name"), cell: (row) => lines(row.name, row.active ? null : soft(t("left"))) },
      { head: t("shop"), cell: (row) => link(row.shopName, "figures", { shop: row.shopId }) },
      { head: t("since"), cell: (row) => moment(row.createdAt) },
      { head: t("barber"), cell: (row) => id(row.barberId) },
      { head: t("see"), cell: (row) => el("p", { className: "row small" }, link(t("bookings"), "bookings", { barberId: row.barberId }),
        link(t("reviews"), "reviews", { barberId: row.barberId }),
        row.userId ? link(t("audit"), "audit", { actorId: row.userId }) : null) },
    ],
  });
}
