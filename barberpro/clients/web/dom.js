// Making elements without markup, so that nothing a customer typed is ever read as any.

/**
 * An element. Properties are set as such where the element has them ("textContent", "onclick", "hidden"), else as
 * attributes; `data` is its dataset. Children that are null are left out.
 */
export function el(name, { data = {}, ...properties } = {}, ...children) {
  const node = document.createElement(name);
  Object.assign(node.dataset, data);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** A text from elsewhere, kept apart from what is around it: it may be written from the other side. */
export const apart = (text) => `\u2068${text}\u2069`;

/** Puts the text there when it is another one: a live region tells changes alone. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A button. `main`, `alarm` and `wide` as in theme.css. */
export function button(text, onclick, kind = "", properties = {}) {
  return el("button", { type: "button", className: `button ${kind}`.trim(), textContent: text, onclick, ...properties });
}

let fields = 0;

/** A labelled input with the place for what is wrong with it: {row, input, complain(text)}. */
export function field(label, properties = {}, hint = "") {
  const id = `field-${++fields}`;
  const problem = el("p", { id: `${id}-problem`, className: "problem small" });
  const about = hint ? el("p", { id: `${id}-hint`, className: "soft small", textContent: hint }) : null;
  const described = [about?.id, problem.id].filter(Boolean).join(" ");
  const input = el(properties.rows ? "textarea" : "input", { id, ...properties, "aria-describedby": described });
  const complain = (text) => {
    problem.textContent = text;
    input.setAttribute("aria-invalid", text ? "true" : "false");
  };
  const row = el("p", { className: "field" }, el("label", { htmlFor: id, textContent: label }), input, about, problem);
  return { row, input, complain };
}
