// Shows /openapi.json, and lets each endpoint be tried. All text goes into the page as text.

const page = { endpoints: document.getElementById("endpoints"), areas: document.getElementById("areas"),
  find: document.getElementById("find"), token: document.getElementById("token") };

/** An element with its children; `given` are its attributes. */
function make(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** What may be longer than its place: keys scroll it, too. */
const long = (text) => make("pre", { tabindex: "0" }, text);
const json = (value) => long(JSON.stringify(value, null, 2));

/** A text whose `names` are set as code. */
function prose(text) {
  return text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
}

function table(heads, rows) {
  if (rows.length === 0) return null;
  const row = (cells, kind) => make("tr", {}, ...cells.map((cell) => make(kind, {}, cell)));
  return make("table", {}, make("thead", {}, row(heads, "th")), make("tbody", {}, ...rows.map((cells) => row(cells, "td"))));
}

/** A schema in few words. */
function words(schema, names) {
  if (!schema) return "";
  if (schema.$ref) return names ? schema.$ref.split("/").pop() : "";
  const union = schema.anyOf ?? schema.oneOf;
  if (union && !schema.properties) return union.map((each) => words(each, names)).join(" or ");
  if (schema.enum) return schema.enum.join(", ");
  if ("const" in schema) return String(schema.const);
  if (schema.type === "array") return `list of ${words(schema.items, names)}`;
  const bounds = [["minimum", "from"], ["maximum", "to"], ["minLength", "at least"], ["maxLength", "at most"]]
    .filter(([key]) => key in schema).map(([key, word]) => `${word} ${schema[key]}`);
  return [schema.format ?? schema.type ?? "anything", ...bounds].join(" ");
}

class Api {
  constructor(described) { this.described = described; }

  resolve(part) {
    return part.$ref ? part.$ref.slice(2).split("/").reduce((found, step) => found[step], this.described) : part;
  }

  /** The fields of a body, of every form that it may have. */
  fields(schema) {
    const whole = this.resolve(schema);
    const forms = whole.properties ? [whole] : (whole.anyOf ?? whole.oneOf ?? []).map((form) => this.resolve(form));
    return forms.flatMap((form) => Object.entries(form.properties ?? {}).map(([name, each]) => [
      forms.length > 1 ? `${form.title ?? ""}: ${name}` : name, words(each, true),
      (form.required ?? []).includes(name) ? "yes" : "",
    ]));
  }

  /** Folded; what is in it is made when it is first opened: all at once a telephone would work at for seconds. */
  endpoint(method, path, operation) {
    const { deprecated = false } = operation;
    const title = make("summary", {}, make("span", { class: "method" }, method), make("span", { class: "path" }, path),
      make("span", { class: "soft" }, deprecated ? "deprecated" : operation.summary));
    const folded = make("details", { class: `endpoint${deprecated ? " deprecated" : ""}`, id: operation.operationId }, title);
    folded.addEventListener("toggle", () => folded.append(...this.unfolded(method, path, operation)), { once: true });
    return folded;
  }

  unfolded(method, path, { description = "", parameters = [], requestBody, responses }) {
    const given = parameters.map((each) => this.resolve(each));
    const body = requestBody?.content["application/json"];
    return [...description.split("\n\n").map((words) => make("p", {}, ...prose(words))),
      table(["Parameter", "In", "Is", "Needed"],
        given.map((each) => [each.name, each.in, words(each.schema, true), each.required ? "yes" : ""])),
      ...(body ? [make("h3", {}, "Body"), table(["Field", "Is", "Needed"], this.fields(body.schema)), json(body.example)] : []),
      ...this.answers(responses), make("h3", {}, "Try it"), this.trial(method, path, given, body)].filter((part) => part !== null);
  }

  answers(responses) {
    const all = Object.entries(responses).map(([status, answer]) => [status, this.resolve(answer)]);
    const [status, good] = all[0];
    const kinds = Object.entries(good.content ?? {});
    const shown = kinds.flatMap(([kind, content]) => content.example ? [json(content.example)] : [make("p", {}, kind)]);
    const refused = all.filter(([code]) => code >= 400).map(([code, answer]) => [code, answer.description]);
    return [make("h3", {}, `Answers ${all.filter(([code]) => code < 400).map(([code]) => code).join(", ")}`),
      ...shown, refused.length ? make("h3", {}, "Refuses") : null, table(["Status", "Codes"], refused)]
      .filter((part) => part !== null && status);
  }

  trial(method, path, given, body) {
    const inputs = new Map(given.map((each) => [each, make("input", { name: each.name, autocomplete: "off",
      placeholder: String(each.example ?? each.schema.default ?? "") })]));
    const text = body ? make("textarea", { "aria-label": "Body", spellcheck: "false" }) : null;
    if (text) text.value = JSON.stringify(body.example, null, 2);
    const told = make("div", { role: "status" });
    const form = make("form", {}, ...[...inputs].map(([each, input]) => make("label", {}, each.name, input)), text,
      make("button", {}, "Send"), told);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      told.replaceChildren("...");
      told.replaceChildren(...await send(method, path, inputs, text));
    });
    return form;
  }
}

async function send(method, path, inputs, text) {
  const headers = {}, query = new URLSearchParams();
  if (page.token.value) headers.Authorization = `Bearer ${page.token.value}`;
  if (text) headers["Content-Type"] = "application/json";
  for (const [each, { value }] of inputs) {
    if (each.in === "path") path = path.replace(`{${each.name}}`, encodeURIComponent(value));
    else if (value && each.in === "query") query.set(each.name, value);
    else if (value) headers[each.name] = value;
  }
  try {
    const answer = await fetch(`${path}${query.size ? `?${query}` : ""}`, { method, headers, body: text?.value });
    const kind = answer.headers.get("Content-Type") ?? "";
    const shown = kind.startsWith("application/json") ? json(await answer.json())
      : long(kind.startsWith("text/") ? await answer.text() : `${kind}, ${(await answer.blob()).size} bytes`);
    return [make("p", answer.ok ? {} : { class: "refused" }, `${answer.status} ${answer.statusText}`), shown];
  } catch (problem) {
    return [make("p", { class: "refused" }, `No answer: ${problem.message}`)];
  }
}

function find() {
  const wanted = page.find.value.toLowerCase().split(/\s+/);
  for (const endpoint of page.endpoints.querySelectorAll(".endpoint")) {
    const text = endpoint.querySelector("summary").textContent.toLowerCase();
    endpoint.hidden = !wanted.every((word) => text.includes(word));
  }
  for (const area of page.endpoints.querySelectorAll("section")) {
    area.hidden = area.querySelector(".endpoint:not([hidden])") === null;
  }
}

function show(described) {
  const api = new Api(described);
  const all = Object.entries(described.paths).flatMap(([path, methods]) => Object.entries(methods)
    .map(([method, operation]) => [operation.tags[0], api.endpoint(method.toUpperCase(), path, operation)]));
  page.areas.replaceChildren(...described.tags.map(({ name }) => make("a", { href: `#area-${name}` }, name)),
    make("a", { href: "/openapi.json" }, "openapi.json"), make("a", { href: "/asyncapi.json" }, "asyncapi.json"));
  page.endpoints.replaceChildren(make("p", {}, ...prose(described.info.description)),
    ...described.tags.map(({ name, description }) => make("section", { id: `area-${name}` }, make("h2", {}, name),
      make("p", { class: "soft" }, ...prose(description)), ...all.filter(([area]) => area === name).map(([, each]) => each))));
  page.find.addEventListener("input", find);
  const named = document.getElementById(location.hash.slice(1));
  if (named instanceof HTMLDetailsElement) named.open = true;
  named?.scrollIntoView();
}

try {
  show(await (await fetch("/openapi.json")).json());
} catch (problem) {
  page.endpoints.replaceChildren(make("p", { class: "refused" }, `The document cannot be read: ${problem.message}`));
}
