// What the console asks its barber before it asks the server.

import { button, el, field } from "./dom.js";
import { minutes, money } from "./format.js";
import { choose, sheet } from "./sheets.js";

const submitButton = (text) => el("button", { type: "submit", className: "button main", textContent: text });
const REASONS = ["reason_agreed", "reason_back", "reason_late", "reason_order"];

/** @returns {Promise<"open" | {reason: string} | "close" | null>} */
export function askStatus(t, status) {
  return sheet(t("statusTitle", { status: t(status) }), t("back"), (close) => {
    const reason = field(t("pauseReason"), { maxLength: 200 });
    const pause = () => close({ reason: reason.input.value.trim() });
    const opens = button(t("openLine"), () => close("open"), "main wide");
    const closes = button(t("close"), () => close("close"), "wide");
    if (status !== "open") return { content: status === "closed" ? [opens] : [opens, closes] };
    const hint = el("p", { className: "soft", textContent: t("pauseHint") });
    return { content: [hint, reason.row, button(t("pause"), pause, "main wide"), closes], submit: pause };
  });
}

/** @returns {Promise<"keep" | "cancel" | null>} */
export function askClose(t, count) {
  const about = [el("p", { textContent: count ? t("closeAsk", { count }) : t("closeNobody") })];
  const choices = count
    ? [{ text: t("closeKeep"), value: "keep" }, { text: t("closeCancel"), value: "cancel", alarm: true }]
    : [{ text: t("close"), value: "keep" }];
  return choose(t("closeTitle"), t("back"), choices, about);
}

/** Why somebody is moved; one of the usual reasons, or words of one's own. @returns {Promise<string | null>} */
export function askReason(t, who) {
  return sheet(t("reasonTitle", { who }), t("back"), (close) => {
    const reason = field(t("reason"), { maxLength: 200 }, t("reasonHint"));
    const usual = REASONS.map((key) => button(t(key), () => close(t(key))));
    const submit = () => {
      const text = reason.input.value.trim();
      if (text) close(text);
      else reason.input.focus();
    };
    const content = [el("div", { className: "row" }, ...usual), reason.row];
    return { content, actions: [submitButton(t("move"))], first: usual[0], submit };
  });
}

/** To whom somebody goes. @returns {Promise<string | null>} a barber's id */
export function askTransfer(t, who, queues) {
  const takes = queues.filter(({ status }) => status !== "closed");
  const about = takes.length ? [] : [el("p", { textContent: t("nowhere") })];
  return choose(t("transferTitle", { who }), t("back"), takes.map((queue) => ({
    text: queue.barberName,
    hint: [t(queue.status), t("waitingThere", { count: queue.waitingCount + (queue.next ? 1 : 0) })].join(" · "),
    value: queue.barberId,
  })), about);
}

/** What is done with somebody in the line. @returns {Promise<string | null>} the action's name */
export function askPerson(t, who, details, actions) {
  const about = details.map((text) => el("p", { className: "soft", textContent: text }));
  return choose(who, t("back"), actions, about);
}

/**
 * Somebody who has come in. The sheet stays until the server has taken them, and says what it did not take.
 * @param {{serviceId: string, name: string, price: string, durationMinutes: number}[]} services
 * @param {(fields: object) => Promise<{ok: boolean, problem?: Error, words?: string}>} add
 */
export function askWalkIn(t, services, currency, add) {
  return sheet(t("walkInTitle"), t("back"), (close) => {
    const name = field(t("name"), { maxLength: 80, autocomplete: "off" });
    const phone = field(t("phone"), { maxLength: 31, inputMode: "tel", dir: "ltr", autocomplete: "off" });
    const notes = field(t("notes"), { maxLength: 500, autocomplete: "off" });
    const menu = serviceBoxes(t, services, currency);
    const problem = el("p", { className: "problem", role: "alert" });
    const go = submitButton(t("add"));
    const submit = async () => {
      const serviceIds = menu.chosen();
      problem.textContent = serviceIds.length ? "" : t("pickService");
      if (!serviceIds.length) return menu.node.querySelector("input")?.focus();
      const [named, called, noted] = [name, phone, notes].map(({ input }) => input.value.trim() || undefined);
      const customer = named || called ? { name: named, phone: called } : undefined;
      go.setAttribute("aria-busy", "true");
      const { ok, problem: refusal, words = "" } = await add({ serviceIds, notes: noted, customer });
      go.removeAttribute("aria-busy");
      if (ok) return close(true);
      const told = complain({ "customer.name": name, "customer.phone": phone, notes }, refusal);
      problem.textContent = told ? "" : words;
    };
    return { content: [name.row, menu.node, phone.row, notes.row, problem], actions: [go], first: name.input, submit };
  });
}

function serviceBoxes(t, services, currency) {
  const boxes = services.map(({ serviceId }) =>
    el("input", { type: "checkbox", value: serviceId, checked: services.length === 1 }));
  const rows = services.map(({ name, price, durationMinutes }, index) => el("label", { className: "choice" },
    boxes[index], el("span", { textContent: name }),
    el("span", { className: "soft small", textContent: `${minutes(durationMinutes)} · ${money(price, currency)}` })));
  return {
    node: el("fieldset", {}, el("legend", { textContent: t("services") }), ...rows),
    chosen: () => boxes.filter(({ checked }) => checked).map(({ value }) => value),
  };
}

// Puts what is wrong where it belongs; whether there was anything to put.
function complain(named, refusal) {
  for (const each of Object.values(named)) each.complain("");
  const known = (refusal?.details?.fields ?? []).filter(({ path }) => path in named);
  for (const { path, problem } of known) named[path].complain(problem);
  if (known.length) named[known[0].path].input.focus();
  return known.length > 0;
}
