// What the pages on a customer's phone share: the service worker that keeps their shell, which the kiosk and the screen have
// as well, and the choice of a language.

import { LANGUAGES, choose } from "./texts.js";

/** Has the browser keep the page's parts for when the network is away. Without TLS browsers do not, and all goes on. */
export function keepShell() {
  return navigator.serviceWorker?.register("/sw.js", { updateViaCache: "none" }).catch(() => {});
}

/** Fills a <select> with the page's languages; another one is kept, and the page begins anew in it. */
export function offerLanguages(select, present, known = ["en", "hi", "ar"]) {
  select.replaceChildren(...known.map((tag) => {
    const option = new Option(LANGUAGES[tag], tag, tag === present, tag === present);
    option.lang = tag;
    return option;
  }));
  select.addEventListener("change", () => {
    const address = new URL(location.href);
    if (choose(select.value)) address.searchParams.delete("lang");
    else address.searchParams.set("lang", select.value);
    history.replaceState(history.state, "", address); // a ticket may lie in its state
    location.reload();
  });
}

/** The words for a refusal: the page's own for its code, or that it did not work. */
export function wordsFor(t, problem) {
  const { code, details = {} } = problem;
  return [`${code}.${details.reason ?? details.resource}`, code].map((key) => ({ key, words: t(key) }))
    .find(({ key, words }) => words !== key)?.words ?? t("wentWrong");
}
