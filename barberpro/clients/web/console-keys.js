// Single letters as shortcuts. They can be switched off: who dictates, or whose hand shakes, may press them unawares.

const OFF = "barberpro.keys-off";

/** @param {Record<string, () => void>} actions by letter */
export function keys(actions) {
  addEventListener("keydown", (event) => {
    const letter = event.key.toLowerCase();
    const typing = event.target.closest("input, textarea, select, dialog");
    const other = event.repeat || event.ctrlKey || event.metaKey || event.altKey;
    if (!(letter in actions) || typing || other || !keysAreOn()) return;
    event.preventDefault();
    actions[letter]();
  });
}

export function keysAreOn() {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    return true;
  }
}

export function switchKeys(on) {
  try {
    if (on) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  } catch {
    // Nothing can be kept here: they stay as they are.
  }
}
