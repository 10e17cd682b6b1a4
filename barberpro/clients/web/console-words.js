// What the console says: who somebody is, what has happened, and why something was not done.

import { apart } from "./dom.js";

/** "14 · Ravi" */
export function who(t, entry) {
  if (!entry) return "";
  return entry.customerName ? t("named", { token: String(entry.tokenNumber), name: apart(entry.customerName) })
    : t("token", { token: String(entry.tokenNumber) });
}

/** What the line's last change was; empty where there is nothing to say. */
export function happened(t, desk) {
  const { cause } = desk.state;
  if (!cause) return "";
  const person = cause.bookingId ? desk.person(cause.bookingId) : null;
  const name = who(t, person ?? (cause.tokenNumber ? { tokenNumber: cause.tokenNumber } : null));
  const key = cause.type === "advance" && person?.status === "serving" ? "did_start" : `did_${cause.type}`;
  const text = t(key, { who: name });
  if (text === key) return "";
  const by = cause.type === "skip" || cause.type === "no_show" || cause.type === "cancel" || cause.type === "step_back";
  const whose = by ? { system: t("by_system"), customer: t("by_customer"), guest: t("by_customer") }[cause.actorRole] : "";
  return [text, whose].filter(Boolean).join(" ");
}

/** Why it was not done, with the field where it is about one. */
export function whyNot(t, command, problem) {
  const { code, details = {} } = problem;
  if (!code) return t("no_network");
  if (code === "BAD_REQUEST" && details.fields?.length) {
    return details.fields.map((one) => t("no_field", { field: fieldName(t, one.path), problem: one.problem })).join(" ");
  }
  const keys = [
    code === "STALE_STATE" && command.type === "advance" && "no_STALE_advance",
    code === "STALE_STATE" && "no_STALE",
    details.reason && `no_${code}_${details.reason}`,
    `no_${code}`,
  ].filter(Boolean);
  return keys.map((key) => [key, t(key)]).find(([key, text]) => text !== key)?.[1] ?? problem.message;
}

function fieldName(t, path) {
  const key = path.split(".").at(-1);
  const text = t(key);
  return text === key ? path : text.replace(/ \(.*/, "");
}
