// Sheets: dialogs that ask for one thing, and are gone again.

import { button, el } from "./dom.js";

let sheets = 0;

/**
 * Shows a sheet until it is closed.
 * @param {string} title
 * @param {string} back what the button that leaves everything as it is says
 * @param {(close: (result: any) => void) => {content: Node[], actions?: Node[], first?: HTMLElement,
 *   submit?: () => void}} build first: what has the focus; submit: on Enter in a field
 * @returns {Promise<any>} what it was closed with; null when nothing was chosen
 */
export function sheet(title, back, build) {
  return new Promise((resolve) => {
    let result = null;
    const id = `sheet-${++sheets}`;
    const dialog = el("dialog", { className: "sheet", "aria-labelledby": id });
    const close = (chosen) => {
      result = chosen;
      dialog.close();
    };
    const { content, actions = [], first, submit } = build(close);
    const form = el("form", { className: "stack", noValidate: true, onsubmit: (event) => {
      event.preventDefault();
      submit?.();
    } }, el("h2", { id, textContent: title }), ...content,
    el("div", { className: "row end" }, button(back, () => close(null)), ...actions));
    dialog.append(form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
    first?.focus();
  });
}

/** A sheet that is a list of choices: [{text, hint?, value, alarm?}]. */
export function choose(title, back, choices, about = []) {
  return sheet(title, back, (close) => ({
    content: [...about, el("div", { className: "stack tight" }, ...choices.map(({ text, hint, value, alarm }) =>
      el("button", {
        type: "button", className: `button choice-button ${alarm ? "alarm" : ""}`, onclick: () => close(value),
      },
        el("span", { textContent: text }), hint ? el("span", { className: "soft small", textContent: hint }) : null)))],
  }));
}
