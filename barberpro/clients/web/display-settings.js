// What this screen is set to: its language, look and sound. Kept on the device.

import { LANGUAGES, choose } from "./texts.js";

const KEY = "barberpro.display";
const DEFAULTS = { look: "", sound: true, speech: true, callSeconds: 6 };

export function settings() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(KEY)) };
  } catch {
    return { ...DEFAULTS };
  }
}

/** Light, dark, contrast, or "" for the device's own choice. */
export function applyLook({ look }) {
  if (look) document.documentElement.dataset.look = look;
  else delete document.documentElement.dataset.look;
}

/**
 * The dialog with the settings, opened by its button.
 * @param {{changed: (kept: object, language: string) => void, repair: () => void}} on
 */
export function settingsDialog(button, dialog, language, on) {
  const form = dialog.querySelector("form");
  form.language.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) => new Option(name, code)));
  let spoken = language;
  button.hidden = false;
  button.addEventListener("click", () => {
    fill(form, settings(), spoken);
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "keep") return;
    spoken = form.language.value;
    const kept = read(form);
    keep(kept);
    choose(spoken);
    on.changed(kept, spoken);
  });
  dialog.querySelector("#fullscreen").addEventListener("click", () => document.documentElement.requestFullscreen?.());
  dialog.querySelector("#repair").addEventListener("click", () => {
    dialog.close();
    on.repair();
  });
}

function fill(form, kept, language) {
  form.language.value = language;
  form.look.value = kept.look;
  form.sound.checked = kept.sound;
  form.speech.checked = kept.speech;
  form.callSeconds.value = kept.callSeconds;
}

function read(form) {
  return {
    look: form.look.value,
    sound: form.sound.checked,
    speech: form.speech.checked,
    callSeconds: Number(form.callSeconds.value) || DEFAULTS.callSeconds,
  };
}

function keep(kept) {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // It is set for as long as the page lives.
  }
}
