// Announcements, one after the other: a chime, then the words. Where there is no voice for the language, or no leave to
// sound yet (a browser gives that at the first touch), they are shown all the same.

const SHOWN_MS = 6_000;
const SPEECH_MS = 15_000; // some browsers forget to tell that they have spoken
const GAP_MS = 400;
const QUEUED_AT_MOST = 20;
const NOTES = [[659.25, 0], [523.25, 0.35]]; // hertz, and when: two falling notes
const NOTE_SECONDS = 0.9;

/** Events: "begin" and "end" (detail: {id, text}), "audible" (detail: boolean). */
export class Announcer extends EventTarget {
  /** Whether there is a sound, and a voice. */
  sound = true;
  speech = true;
  language;
  /** How long each is shown at least, in ms. */
  shownMs;

  #waiting = [];
  #busy = false;
  #audio = null;

  /** @param {{language: string, shownMs?: number}} options */
  constructor({ language, shownMs = SHOWN_MS }) {
    super();
    this.language = language;
    this.shownMs = shownMs;
    globalThis.speechSynthesis?.getVoices(); // a browser begins to look for them when it is asked first
  }

  /** Whether this page may sound already. */
  get audible() {
    return this.#audio?.state === "running";
  }

  /** To be called from a touch or a key: asks for leave to sound. Of no harm when it has it. */
  unlock() {
    try {
      this.#audio ??= this.#newAudio();
      this.#audio.resume().catch(() => {}); // without leave it comes true at the first touch, if ever
    } catch {
      this.#audio = null; // there is nothing that could sound
    }
    this.#emit("audible", this.audible);
  }

  #newAudio() {
    const audio = new AudioContext();
    audio.addEventListener("statechange", () => this.#emit("audible", this.audible));
    return audio;
  }

  /** Queues one. @param {string} id @param {string} text to be shown @param {string} [spoken] */
  say(id, text, spoken = text) {
    this.#waiting.push({ id, text, spoken });
    if (this.#waiting.length > QUEUED_AT_MOST) this.#waiting.shift();
    if (!this.#busy) this.#run();
  }

  async #run() {
    this.#busy = true;
    while (this.#waiting.length) {
      const one = this.#waiting.shift();
      this.#emit("begin", one);
      await Promise.all([pause(this.shownMs), this.#sound(one.spoken)]);
      this.#emit("end", one);
      await pause(GAP_MS);
    }
    this.#busy = false;
  }

  async #sound(words) {
    if (!this.sound) return;
    await this.#chime();
    if (this.speech) await this.#speak(words);
  }

  async #chime() {
    if (!this.audible) return;
    const start = this.#audio.currentTime;
    for (const [hertz, after] of NOTES) this.#note(hertz, start + after);
    await pause((NOTES.at(-1)[1] + NOTE_SECONDS) * 1000);
  }

  #note(hertz, at) {
    const [oscillator, gain] = [this.#audio.createOscillator(), this.#audio.createGain()];
    oscillator.frequency.value = hertz;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + NOTE_SECONDS);
    oscillator.connect(gain).connect(this.#audio.destination);
    oscillator.start(at);
    oscillator.stop(at + NOTE_SECONDS);
    oscillator.onended = () => gain.disconnect();
  }

  async #speak(words) {
    const voice = globalThis.speechSynthesis?.getVoices().find(({ lang }) => lang.toLowerCase().startsWith(this.language));
    if (!voice) return; // in another language's voice it would be noise
    const utterance = Object.assign(new SpeechSynthesisUtterance(words), { voice, lang: voice.lang, rate: 0.9 });
    await Promise.race([pause(SPEECH_MS), new Promise((resolve) => {
      utterance.onend = utterance.onerror = resolve;
      speechSynthesis.speak(utterance);
    })]);
    speechSynthesis.cancel();
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}
