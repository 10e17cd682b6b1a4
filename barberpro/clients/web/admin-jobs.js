// What the server does in the background: what waits, what was done in the last 24 hours, and what failed.

import { button, el, put } from "./dom.js";
import { minutes, number, time } from "./format.js";
import { id, moment } from "./admin-words.js";
import { table } from "./listing.js";

const KINDS = ["waiting", "running", "overdue", "jobsDone", "jobsFailed"];

export function show(page) {
  const { t, session, place } = page;
  const told = el("p", { className: "soft small", role: "status" });
  const problem = el("p", { className: "problem", role: "alert" });
  const kinds = table(t("jobs"), [{ head: t("job") }, ...KINDS.map((name) => ({ head: t(name), figure: true }))]);
  const failures = table(t("failures"), [{ head: t("job") }, { head: t("when") }, { head: t("problem") }, { head: t("id") }]);
  const heading = el("h2", { textContent: t("failures") });
  place.append(el("div", { className: "row" }, button(t("refresh"), read)), problem, told, kinds.node, heading, failures.node);
  read();

  async function read() {
    put(problem, "");
    try {
      const jobs = await session.ask("GET", "/admin/jobs");
      kinds.fill(jobs.kinds.map((kind) => [kind.kind.replaceAll("_", " "), ...[
        kind.waiting, kind.running, overdue(kind.overdueSeconds), kind.done, kind.failed,
      ].map((figure) => (typeof figure === "number" ? number(figure) : figure))]));
      failures.fill(jobs.failures.map((each) => [each.kind.replaceAll("_", " "), moment(each.at), each.problem ?? "–", id(each.jobId)]));
      heading.hidden = jobs.failures.length === 0;
      put(told, t(jobs.kinds.length ? "asOf" : "noJobs", { time: time(new Date()) }));
    } catch (refused) {
      put(problem, refused.code ? refused.message : t("noAnswer"));
    }
  }
}

function overdue(seconds) {
  return seconds === null ? "–" : minutes(Math.ceil(seconds / 60));
}
