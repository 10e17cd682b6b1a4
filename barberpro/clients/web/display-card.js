// One barber's line on the shop's screen. Elements are made once and kept: a screen runs for weeks.

// How many who wait there is room for, by the rows and columns of cards on the screen; the state has ten.
const ROOM = { 1: [10, 10, 4, 3], 2: [0, 0, 3, 0], 3: [] };

export class Card {
  #parts;
  #items = [];

  /** @param {HTMLTemplateElement} template @param {(key: string, values?: object) => string} t */
  constructor(template, t) {
    this.element = document.importNode(template.content, true).firstElementChild;
    const find = (selector) => this.element.querySelector(selector);
    this.#parts = {
      name: find("h2"), status: find(".status"), serving: find(".serving"), next: find(".next"), waiting: find("ol"),
      more: find(".more"), fresh: find(".new"), wait: find("footer bp-wait"),
    };
    this.translate(t);
  }

  translate(t) {
    for (const each of this.element.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  }

  /** @param {import("./barberpro.js").DisplayedQueue} queue @param {{rows: number, columns: number}} layout */
  show(queue, { rows, columns }, t) {
    const { name, status, serving, next, more, fresh, wait } = this.#parts;
    this.element.dataset.barberId = queue.barberId;
    this.element.dataset.status = queue.status;
    write(name, queue.barberName);
    write(status, t(queue.status));
    figure(serving, queue.serving);
    figure(next, queue.next);
    const shown = queue.waiting.slice(0, ROOM[rows][columns - 1] ?? 0);
    this.#wait(shown);
    const left = queue.waitingCount - shown.length;
    write(more, left > 0 ? t(shown.length ? "more" : "waiting", { count: left }) : "");
    fresh.hidden = queue.status !== "open";
    wait.wait = queue.estimatedWait;
  }

  #wait(entries) {
    while (this.#items.length > entries.length) this.#items.pop().item.remove();
    while (this.#items.length < entries.length) this.#items.push(this.#item());
    entries.forEach(({ tokenNumber, estimatedWait }, index) => {
      const { token, wait } = this.#items[index];
      write(token, String(tokenNumber));
      wait.wait = estimatedWait;
    });
  }

  #item() {
    const [item, token, wait] = ["li", "span", "bp-wait"].map((name) => document.createElement(name));
    item.append(token, wait);
    this.#parts.waiting.append(item);
    return { item, token, wait };
  }
}

function figure(box, entry) {
  box.classList.toggle("taken", Boolean(entry));
  write(box.lastElementChild, entry ? String(entry.tokenNumber) : "–");
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
