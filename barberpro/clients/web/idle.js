// Nobody touches the screen any more: after a while it says so, and a little later it is as if nobody had been there.

const WARNING_SECONDS = 10;

export class Idle {
  #warn;
  #end;
  #timer = 0;
  #seconds = 0;
  #left = 0;

  /** @param {(left: number) => void} warn each second of the last ten, and with 0 when somebody is there again */
  constructor(warn, end) {
    this.#warn = warn;
    this.#end = end;
    for (const kind of ["pointerdown", "keydown", "change"]) addEventListener(kind, () => this.#touched(), { capture: true });
  }

  /** Counts from now. seconds: 0 for never. */
  within(seconds) {
    this.#seconds = seconds;
    this.#touched();
  }

  #touched() {
    clearTimeout(this.#timer);
    if (this.#left) this.#warn((this.#left = 0));
    if (this.#seconds) this.#timer = setTimeout(() => this.#count(WARNING_SECONDS), this.#seconds * 1000);
  }

  #count(left) {
    this.#left = left;
    this.#warn(left);
    if (left) this.#timer = setTimeout(() => this.#count(left - 1), 1000);
    else this.#end();
  }
}
