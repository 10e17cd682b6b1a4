// What a page says, in the language of whoever reads it: one JSON file a page and language, beside common.<language>.json.
//
// A text is a string with {names}, or its plural forms by Intl.PluralRules: {"one": ..., "other": ...}, chosen by the
// first number that is given. Numbers are written in the digits that tokens have everywhere, 0 to 9.

export const LANGUAGES = { en: "English", hi: "हिन्दी", ar: "العربية", es: "Español", de: "Deutsch" };
const FALLBACK = "en";
const TRIES = 5; // a page without its words is of no use: a bad network is asked again
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);
const KEPT = "barberpro.language";

let present = null; // the page's texts, for elements

/** What the address (?lang=), an earlier choice, or the browser asks for. */
export function preferred(known = Object.keys(LANGUAGES)) {
  const asked = new URLSearchParams(location.search).get("lang");
  const wanted = [asked, stored(), ...navigator.languages].filter(Boolean).map((tag) => tag.toLowerCase().split("-")[0]);
  return wanted.find((language) => known.includes(language)) ?? FALLBACK;
}

/** Keeps the choice for the next time; whether this device does. */
export function choose(language) {
  try {
    localStorage.setItem(KEPT, language);
    return true;
  } catch {
    return false;
  }
}

/**
 * The texts of a page; sets <html lang dir>.
 * @param {string} page
 * @param {string} [language] one of `known`
 * @param {string[]} [known] those that the page has
 * @returns {Promise<((key: string, values?: object) => string) & {language: string}>}
 */
export async function texts(page, language, known = ["en", "hi", "ar"]) {
  const chosen = known.includes(language) ? language : preferred(known);
  const files = await Promise.all(["common", page].map((name) => file(name, chosen)));
  const words = Object.assign({}, ...files);
  const plural = new Intl.PluralRules(chosen);
  const number = new Intl.NumberFormat(`${chosen}-u-nu-latn`);
  const t = (key, values = {}) => fill(form(words[key] ?? key, values, plural), values, number);
  t.language = chosen;
  document.documentElement.lang = chosen;
  document.documentElement.dir = RIGHT_TO_LEFT.has(chosen) ? "rtl" : "ltr";
  present = t;
  return t;
}

/** A text of the page's, once they are loaded; an empty one before. For elements. */
export function say(key, values) {
  return present ? present(key, values) : "";
}

/** The page's language, once its texts are loaded. */
export function language() {
  return present?.language ?? FALLBACK;
}

/** Fills every [data-t="key"] below the node with its text, and [data-t-label="key"] with its aria-label. */
export function translate(t, node = document) {
  for (const each of node.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  for (const each of node.querySelectorAll("[data-t-label]")) each.setAttribute("aria-label", t(each.dataset.tLabel));
}

async function file(name, language) {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch(new URL(`${name}.${language}.json`, import.meta.url));
      if (!answer.ok) throw new Error(`no ${name}.${language}.json: ${answer.status}`);
      return await answer.json();
    } catch (problem) {
      if (tries === TRIES) throw problem;
      await new Promise((resolve) => { setTimeout(resolve, 500 * 2 ** tries); });
    }
  }
}

function form(text, values, plural) {
  if (typeof text === "string") return text;
  const count = Object.values(values).find((value) => typeof value === "number") ?? 0;
  return text[plural.select(count)] ?? text.other;
}

function fill(text, values, number) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? number.format(value) : String(value);
  });
}

function stored() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
