// Letters on their way: what became of each. What one says, and to whom, is shown to nobody.

import { listing } from "./listing.js";
import { choices, id, labelled, lines, moment, soft } from "./admin-words.js";

export function show(page) {
  const { t } = page;
  listing(page, {
    path: "/admin/letters",
    filters: [
      { name: "status", kind: "choice", choices: choices(t, "letter", ["waiting", "sent", "failed"]) },
      { name: "channel", kind: "choice", choices: choices(t, "channel", ["email", "sms"]) },
    ],
    columns: [
      { head: t("letter"), cell: (row) => lines(row.template.replaceAll("_", " "), soft(`${t(`channel_${row.channel}`)} · ${row.language}`)) },
      { head: t("asked"), cell: (row) => moment(row.createdAt) },
      { head: t("state"), cell: (row) => lines(t(`letter_${row.status}`), soft(t("attempts", { count: row.attempts })), soft(row.problem)) },
      { head: t("when"), cell: (row) => moment(row.settledAt) ?? labelled(t("nextTry"), row.nextAttemptAt) },
      { head: t("id"), cell: (row) => lines(id(row.letterId), row.reference ? id(row.reference) : null) },
    ],
  });
}
