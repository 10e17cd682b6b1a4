// What customers said of a barber, hidden ones too: hidden with a reason, and shown again.

import { button, el, field, put } from "./dom.js";
import { number } from "./format.js";
import { listing } from "./listing.js";
import { id, labelled, link, lines, moment, soft } from "./admin-words.js";
import { sheet } from "./sheets.js";

export function show(page) {
  const { t, session, place } = page;
  const told = el("p", { className: "soft", role: "status" });
  place.append(told);
  const list = listing(page, {
    path: "/barbers/{barberId}/reviews",
    filters: [{ name: "barberId", kind: "text" }],
    columns: [
      { head: t("stars"), figure: true, cell: (row) => number(row.rating) },
      { head: t("review"), cell: (row) => lines(row.text ?? soft(t("noWords")), row.answer ? soft(t("answered", { text: row.answer.text })) : null) },
      { head: t("when"), cell: (row) => moment(row.at) },
      { head: t("state"), cell: (row) => (row.hidden ? lines(labelled(t("hidden"), row.hidden.at), soft(row.hidden.reason)) : t("isShown")) },
      { head: t("id"), cell: (row) => lines(id(row.reviewId), link(t("audit"), "audit", { objectId: row.reviewId })) },
      { head: t("change"), cell: change },
    ],
  });

  // Names its review by its words, as buttons that only say "Hide" are all alike to who hears them.
  function change(row) {
    const words = t(row.hidden ? "showAgain" : "hide");
    return button(words, row.hidden ? () => moderate(row, { hidden: false }).catch(tell) : () => hide(page, row, moderate), "", {
      "aria-label": `${words}: ${row.text ?? row.reviewId}`,
    });
  }

  /** @throws whatever the request throws */
  async function moderate({ reviewId }, body) {
    await session.ask("PATCH", `/admin/reviews/${reviewId}`, { body });
    put(told, t(body.hidden ? "reviewHidden" : "reviewShown"));
    list.reload();
  }

  function tell(refused) {
    put(told, refused.code ? refused.message : t("noAnswer"));
  }
}

function hide({ t }, row, moderate) {
  return sheet(t("hideReview"), t("back"), (close) => {
    const reason = field(t("reason"), { maxLength: 200 }, t("hideHint"));
    const submit = async () => {
      reason.complain("");
      if (!reason.input.value.trim()) return reason.complain(t("isNeeded"));
      try {
        await moderate(row, { hidden: true, reason: reason.input.value.trim() });
        close(null);
      } catch (refused) {
        reason.complain(refused.fields?.[0]?.problem ?? (refused.code ? refused.message : t("noAnswer")));
      }
    };
    return {
      content: [el("blockquote", { textContent: row.text ?? t("noWords") }), reason.row], first: reason.input, submit,
      actions: [el("button", { type: "submit", className: "button alarm", textContent: t("hide") })],
    };
  });
}
