// Putting a list in another order, by dragging a handle or by keys on it. The list is only shown so until the server says
// so, too: `drop` asks for it, and whoever shows the list shows it as it is.

const EDGE_PX = 72;
const SCROLL_PX = 8;

export class Sorter {
  /** The item that is held; while there is one, the list must be left alone. */
  held = null;

  #list;
  #on;
  #order = [];   // as it was when the item was taken up
  #pointer = null;
  #y = 0;

  /**
   * @param {HTMLElement} list of items that each have one .grip
   * @param {{may(item: HTMLElement): boolean,
   *   drop(item: HTMLElement, beside: {before: string|null, after: string|null}): void,
   *   tell(key: string, item: HTMLElement, place: number, count: number): void, end(): void}} on
   *   drop: only where the order is another one. end: the list may be shown anew
   */
  constructor(list, on) {
    this.#list = list;
    this.#on = on;
    list.addEventListener("pointerdown", (event) => this.#down(event));
    list.addEventListener("pointermove", (event) => this.#move(event));
    list.addEventListener("pointerup", (event) => this.#up(event));
    list.addEventListener("pointercancel", () => this.cancel());
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("focusout", ({ target }) => {
      if (this.held && this.#pointer === null && target === grip(this.held)) this.cancel();
    });
  }

  cancel() {
    if (!this.held) return;
    this.#on.tell("leftAlone", this.held, 0, 0);
    this.#release();
  }

  #take(item) {
    if (!this.#on.may(item)) return false;
    this.held = item;
    this.#order = [...this.#list.children];
    item.classList.add("held");
    grip(item).setAttribute("aria-pressed", "true");
    return true;
  }

  #down(event) {
    const item = event.target.closest(".grip")?.closest("li");
    if (!item || event.button !== 0 || this.held || !this.#take(item)) return;
    event.preventDefault();
    grip(item).focus({ preventScroll: true });
    this.#pointer = event.pointerId;
    this.#y = event.clientY;
    this.#list.setPointerCapture(event.pointerId);
    this.#scroll();
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#y = event.clientY;
    this.#follow();
  }

  // The neighbours step aside, one after the other; the held one keeps its place in the document, and so the focus.
  #follow() {
    const { previousElementSibling: above, nextElementSibling: below } = this.held;
    if (above && this.#y < middle(above)) this.#list.insertBefore(above, this.held.nextElementSibling);
    else if (below && this.#y > middle(below)) this.#list.insertBefore(below, this.held);
    else return;
    this.#follow();
  }

  #scroll() {
    if (this.#pointer === null) return;
    const by = this.#y < EDGE_PX ? -SCROLL_PX : this.#y > innerHeight - EDGE_PX ? SCROLL_PX : 0;
    if (by) {
      scrolled(this.#list).scrollBy(0, by);
      this.#follow();
    }
    requestAnimationFrame(() => this.#scroll());
  }

  #up(event) {
    if (event.pointerId === this.#pointer) this.#drop();
  }

  #key(event) {
    const item = event.target.closest(".grip")?.closest("li");
    if (!item) return;
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      if (this.held === item) this.#drop();
      else if (!this.held && this.#take(item)) this.#tell("held");
    } else if (this.held === item && event.key === "Escape") {
      event.preventDefault();
      this.cancel();
    } else if (this.held === item && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.#step(event.key === "ArrowUp");
    }
  }

  #step(up) {
    const { previousElementSibling: above, nextElementSibling: below } = this.held;
    if (up && above) this.#list.insertBefore(above, below);
    else if (!up && below) this.#list.insertBefore(below, this.held);
    this.held.scrollIntoView({ block: "nearest" });
    this.#tell("heldAt");
  }

  #tell(key) {
    const items = [...this.#list.children];
    this.#on.tell(key, this.held, items.indexOf(this.held), items.length);
  }

  #drop() {
    const item = this.held;
    const items = [...this.#list.children];
    const moved = items.some((each, index) => each !== this.#order[index]);
    const beside = { before: id(item.nextElementSibling), after: id(item.previousElementSibling) };
    this.#tell(moved ? "dropped" : "leftAlone");
    this.#release();
    if (moved) this.#on.drop(item, beside);
  }

  #release() {
    const item = this.held;
    this.held = null;
    this.#pointer = null;
    item.classList.remove("held");
    grip(item).setAttribute("aria-pressed", "false");
    this.#on.end();
  }
}

const grip = (item) => item.querySelector(".grip");
const id = (item) => item?.dataset.booking ?? null;

// On a phone held upright the lists scroll between head and deck, elsewhere the page does.
function scrolled(list) {
  const lists = list.closest("main");
  return lists.scrollHeight > lists.clientHeight ? lists : document.scrollingElement;
}

function middle(item) {
  const { top, height } = item.getBoundingClientRect();
  return top + height / 2;
}
